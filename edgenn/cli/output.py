"""Where commands print."""

from rich.console import Console


def console() -> Console:
    """Standard output: as wide as the terminal, 80 columns where there is none."""
    return Console(highlight=False, soft_wrap=False)
