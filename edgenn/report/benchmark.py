"""Time and memory on the console, within 80 columns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edgenn.benchmark import BenchReport, BenchRow
from edgenn.errors import UnavailableError, UnsupportedError
from edgenn.report.numbers import count_text, milliseconds_text, size_text
from edgenn.report.tables import plain_table
from edgenn.runners import Facts


def print_bench(report: BenchReport, console: Console) -> None:
    """A table of times for each file, one of what devices need, and what there is to say."""
    console.print(
        f"[bold]{escape(report.path)}[/]: the median of {report.runs} runs after"
        f" {report.warmup}, on {escape(report.data)}",
        highlight=False,
    )
    for file, rows in groupby(report.rows, key=lambda row: row.artifact):
        if file:
            console.print(time_table(file, list(rows)))
    if known := [row for row in report.rows if knows_the_device(row)]:
        console.print(device_table(known))
    print_remarks(report.rows, console)


def time_table(file: str, rows: Sequence[BenchRow]) -> Table:
    """What was measured of one file; in brackets where it says nothing of the device."""
    table = plain_table(escape(file))
    table.add_column("target")
    unit = rows[0].unit
    for column in (f"ms a {unit}", "90 % below", "first ms", "load ms", "memory"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(row.target, *time_cells(row))
    return table


def time_cells(row: BenchRow) -> list[str]:
    if row.latency_ms is None:
        return [failure_text(row)]
    times = (row.latency_ms, row.p90_ms, row.first_run_ms, row.load_ms)
    cells = [*map(milliseconds_text, times), bytes_text(row.peak_memory_bytes)]
    return [f"[dim]({cell})[/]" if row.not_the_device else cell for cell in cells]


def failure_text(row: BenchRow) -> str:
    """Why there are no numbers, in a word; a line below the tables says it all."""
    if row.notes:
        return "[dim]absent[/]"
    words = {UnavailableError.exit_code: "absent", UnsupportedError.exit_code: "refused"}
    return f"[red]{words.get(row.exit_code, 'failed')}[/]" if row.findings else "-"


def bytes_text(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else size_text(size_bytes)


def share_text(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def short_count(count: int | None) -> str:
    """Exact below a million, in three digits above."""
    if count is None or count < 10**6:
        return count_text(count)
    return f"{count / 10**6:.3g} M" if count < 10**9 else f"{count / 10**9:.3g} G"


COLUMNS: dict[str, Callable[[Facts], str]] = {
    "cycles": lambda facts: short_count(facts.cycles),
    # a microcontroller's arena is what an NPU has as SRAM; no engine tells of both
    "memory": lambda facts: bytes_text(facts.arena_bytes or facts.sram_bytes),
    "flash": lambda facts: bytes_text(facts.flash_bytes),
    "MACs": lambda facts: short_count(facts.macs),
    "on it": lambda facts: share_text(facts.accelerator_share),
}
"""What an engine may know of a device → how it is shown; ``-`` where it does not."""


def knows_the_device(row: BenchRow) -> bool:
    return any(show(row.facts) != "-" for show in COLUMNS.values())


def device_table(rows: Sequence[BenchRow]) -> Table:
    """What the devices need for one inference; columns that no engine fills are left out."""
    shown = [show for show in COLUMNS.values() if any(show(row.facts) != "-" for row in rows)]
    table = plain_table("one inference on the device")
    table.add_column("file", overflow="fold")
    table.add_column("target", overflow="fold")
    for title, show in COLUMNS.items():
        if show in shown:
            table.add_column(title, justify="right")
    previous = ""
    for row in rows:
        file = row.artifact if row.artifact != previous else ""
        previous = row.artifact
        table.add_row(escape(file), row.target, *(show(row.facts) for show in shown))
    return table


def print_remarks(rows: Sequence[BenchRow], console: Console) -> None:
    """Where it ran, what fell back, whose figures these are, and what went wrong."""
    for reason in dict.fromkeys(row.not_the_device for row in rows if row.not_the_device):
        targets = ", ".join(
            dict.fromkeys(row.target for row in rows if row.not_the_device == reason)
        )
        console.print(f"[dim]in brackets, {targets}: {reason}[/]")
    print_lines(rows, remarks, "dim", console)
    print_lines(rows, lambda row: row.findings, "red", console)
    print_lines(rows, lambda row: row.warnings, "yellow", console)


def print_lines(
    rows: Sequence[BenchRow],
    lines: Callable[[BenchRow], Iterable[str]],
    style: str,
    console: Console,
) -> None:
    """Each line once, after all that it is said of: targets, or files on targets."""
    said: dict[str, list[BenchRow]] = {}
    for row in rows:
        for line in lines(row):
            said.setdefault(line, []).append(row)
    for line, of in said.items():
        console.print(
            f"[{style}]{escape(where_text(of, rows))}: {escape(line)}[/]", highlight=False
        )


def where_text(of: Sequence[BenchRow], rows: Sequence[BenchRow]) -> str:
    """Targets with all of their files by name alone."""
    places = []
    for target, own in groupby(sorted(of, key=lambda row: row.target), lambda row: row.target):
        files = [row.artifact for row in own]
        if len(files) == sum(row.target == target for row in rows):
            places.append(target)
        else:
            places += [f"{file} on {target}" for file in files]
    return ", ".join(places)


def remarks(row: BenchRow) -> Iterator[str]:
    yield from row.notes
    if row.facts.adapter:
        yield f"ran on {row.facts.adapter}{' (software)' if row.facts.software else ''}"
    if row.estimator:
        yield f"the device's figures are estimates of {row.estimator}"
    if fallbacks := row.facts.fallbacks:
        ops = ", ".join(dict.fromkeys(fallback.op for fallback in fallbacks))
        yield f"on the CPU: {ops}"
