"""A metric over time on the console."""

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

from rich.console import Console
from rich.markup import escape

from edgenn.drift.metrics import METRICS, Value
from edgenn.history import History, Point, Series
from edgenn.report.numbers import magnitude_text, metric_text
from edgenn.report.tables import plain_table

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"
WIDTH = 16
"""Of a sparkline: the last so many checks."""


def print_history(history: History, console: Console) -> None:
    """One table for each model."""
    if not history.series:
        console.print(f"no checks in {history.file}", markup=False)
    for model, group in groupby(history.series, key=lambda series: series.model):
        print_model(model, list(group), console)


def print_model(model: str, rows: Sequence[Series], console: Console) -> None:
    metric = rows[0].metric
    unit = METRICS[metric].unit if metric in METRICS else ""
    console.print(f"{model}: {metric}{f' in {unit}' if unit else ''}, {span(rows)}", markup=False)
    table = plain_table(None)
    table.add_column("rung", overflow="fold")
    table.add_column("trend")
    for name in ("checks", "first", "worst", "last"):
        table.add_column(name, justify="right")
    outputs = {series.output for series in rows}
    for series in rows:
        known = [point.value for point in series.points if point.value is not None]
        label = f"{series.label} {series.output}" if len(outputs) > 1 else series.label
        numbers = (known[0], worst(metric, known), known[-1]) if known else (None,) * 3
        texts = [text(metric, value) for value in numbers]
        line = sparkline([point.value for point in series.points][-WIDTH:])
        table.add_row(escape(label), line, str(len(series.points)), *texts)
    console.print(table)
    for note in notes(rows):
        console.print(note, markup=False)
    console.print()


def span(rows: Iterable[Series]) -> str:
    """From the first check to the last: ``2026-11-24 09:12 to 2026-11-25 03:52``."""
    times = sorted(point.time for series in rows for point in series.points)
    first, last = (time[:16].replace("T", " ") for time in (times[0], times[-1]))
    return first if first == last else f"{first} to {last}"


def worst(metric: str, values: Sequence[float]) -> float:
    higher = metric in METRICS and METRICS[metric].better == "higher"
    return min(values) if higher else max(values)


def text(metric: str, value: Value) -> str:
    """As in the tables of a check; of a metric that this edgenn does not know, the number."""
    if metric in METRICS:
        return metric_text(metric, value)
    return "-" if value is None else magnitude_text(value)


def sparkline(values: Sequence[Value]) -> str:
    """A bar for each value, from the lowest to the highest; equal values are all in the middle."""
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    step = (high - low) / (len(BARS) - 1)
    return "".join(
        GAP if value is None else BARS[round((value - low) / step) if step else 3]
        for value in values
    )


def notes(rows: Sequence[Series]) -> list[str]:
    """What else was different between the checks: numbers of two models are no trend."""
    longest = max(rows, key=lambda series: len(series.points)).points
    found = []
    for what, of in (("model", fingerprint), ("data", data)):
        changes = [b for a, b in pairwise(longest) if of(a) != of(b)]
        if changes:
            last = changes[-1].time[:16].replace("T", " ")
            times = "once" if len(changes) == 1 else f"{len(changes)} times"
            verb = "was" if what == "model" else "were"
            found.append(f"the {what} {verb} changed {times}, last at {last}")
    return found


def fingerprint(point: Point) -> str:
    return point.fingerprint


def data(point: Point) -> str:
    return point.data_sha256
