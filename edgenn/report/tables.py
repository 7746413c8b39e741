"""The look of all tables."""

from rich import box
from rich.table import Table


def plain_table(title: str | None) -> Table:
    """A line under the head, nothing else."""
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
