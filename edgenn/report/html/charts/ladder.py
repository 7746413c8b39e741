"""The ladder: a row for each rung from Keras down to the last target, a panel for each metric."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from edgenn.drift import METRICS, CheckReport, Rung
from edgenn.report.html.charts.drawing import Chart, Sheet, draw
from edgenn.report.html.theme import sentinel
from edgenn.report.html.words import (
    count,
    finite,
    heading_of,
    is_partial,
    listed,
    scheme_words,
    tick_text,
    title_of,
    with_unit,
)

ROW: Final = 26
"""Height of a rung, in CSS pixels; on a phone its name has a line of its own."""
NARROW_ROW: Final = 42
LETTER: Final = 7.9
"""Width of a letter at most, in CSS pixels."""


@dataclass(frozen=True)
class Row:
    """One rung in one panel.

    Attributes:
        words: What the file is.
        target: Where it ran.
        value: Of the metric; ``None`` where there is none.
        interval: Where the value may lie, 95 %; of task metrics.
        limit: What the budget asks for.
        failed: Whether it breaks that.
        why: In a word, where it has no value.
        samples: How many it ran, where they are not all of them: its task metrics are of those.
    """

    words: str
    target: str
    value: float | None
    interval: tuple[float, float] | None = None
    limit: float | None = None
    failed: bool = False
    why: str = ""
    samples: int = 0


def ladder_chart(report: CheckReport, output: str, metrics: Sequence[str], name: str) -> Chart:
    """The rungs of one output.

    Args:
        metrics: One or two; the second is left out on phones.
    """
    panels = {metric: rows_of(report, output, metric) for metric in metrics}
    of_output = f" of output {output}" if len(report.reference_metrics) > 1 else ""
    title = f"Ladder{of_output}: {listed([title_of(metric) for metric in metrics])}"
    failed = [f"{row.words} {row.target}" for row in panels[metrics[0]] if row.failed]
    spoken = f"{count(len(report.rungs), 'rung')}. " + (
        f"Over the budget: {listed(failed)}." if failed else "None is over the budget."
    )

    def drawing(sheet: Sheet) -> None:
        shown = list(panels.items())[:1] if sheet.narrow else list(panels.items())
        rows = shown[0][1]
        row_height = NARROW_ROW if sheet.narrow else ROW
        first = max(len(row.words) for row in rows) * LETTER + 14
        left = 4 if sheet.narrow else min(380, first + max(len(r.target) for r in rows) * LETTER)
        right = 62 if len(shown) == 1 else 6
        height = row_height * len(rows) + 68
        axes = sheet.panels(height, (left, right, 30, 38), len(shown))
        for axis, (metric, entries) in zip(axes, shown, strict=True):
            panel(sheet, axis, metric, entries)
        names(sheet, axes[0], rows, left, first)

    shown = f"Output {output}" if of_output else ""
    return draw(name, title, spoken, drawing, shown=shown)


def rows_of(report: CheckReport, output: str, metric: str) -> list[Row]:
    """Keras first, then each rung."""
    keras = report.reference_metrics.get(output, {}).get(metric)
    if not METRICS[metric].of_labels:
        keras = None  # Keras is no distance from itself
    rows = [Row("Keras", "", keras)]
    for rung in report.rungs:
        value = (rung.metrics or {}).get(output, {}).get(metric)
        spread = rung.intervals.get(output, {}).get(metric)
        interval = None
        part = rung.samples if is_partial(report, rung) else 0
        if spread is not None and keras is not None and not part:
            interval = (keras + spread[0], keras + spread[1])
        verdict = next(
            (line for line in rung.verdicts if (line.metric, line.output) == (metric, output)), None
        )
        limit = verdict.limit if verdict else None
        failed = not verdict.passed if verdict else rung.metrics is None and bool(rung.findings)
        why = "" if rung.metrics else absence(rung)
        rows.append(Row(scheme_words(rung), rung.target, value, interval, limit, failed, why, part))
    return rows


def absence(rung: Rung) -> str:
    return "not here" if rung.notes and not rung.findings else "did not run"


def panel(sheet: Sheet, axis: Any, metric: str, rows: Sequence[Row]) -> None:
    """Marks, budget and scale of one metric."""
    low, high = span(rows)
    axis.set_xlim(low, high)
    # upside down: Keras is on top
    axis.set_ylim(len(rows) - 0.45, -0.6 - 0.2 * sheet.narrow)
    axis.spines["left"].set_visible(False)
    axis.yaxis.set_visible(False)
    axis.set_title(f"{heading_of(metric)}, {METRICS[metric].better} is better", pad=14)
    axis.xaxis.set_major_formatter(lambda value, _: tick_text(metric, value))
    axis.locator_params(axis="x", nbins=4 if sheet.narrow else 5)
    if not sheet.narrow:
        rule(axis, rows)
    budget(sheet, axis, metric, rows)
    # what other samples would have given is not known: they are not joined with the rest
    apart = METRICS[metric].of_labels
    known = [
        (place, row.value)
        for place, row in enumerate(rows)
        if finite(row.value) and not (row.samples and apart)
    ]
    axis.plot(
        [value for _, value in known],
        [place for place, _ in known],
        color=sentinel("muted"),
        linewidth=1,
        alpha=0.5,
    )
    for place, row in enumerate(rows):
        mark(sheet, axis, metric, place, row, high)


def rule(axis: Any, rows: Sequence[Row]) -> None:
    """A thin line where another file begins."""
    for place in range(1, len(rows)):
        if rows[place].words != rows[place - 1].words:
            axis.axhline(place - 0.5, color=sentinel("grid"), linewidth=1)


def mark(sheet: Sheet, axis: Any, metric: str, place: int, row: Row, high: float) -> None:
    """A rung's value, how sure it is, and the number in words."""
    if row.value is None or math.isnan(row.value):
        if row.why:
            colour = sentinel("fail" if row.failed else "muted")
            axis.text(0.01, place, row.why, transform=axis.get_yaxis_transform(), va="center",
                      color=colour, style="italic")  # fmt: skip
        return
    colour = sentinel("fail" if row.failed else "ink" if place == 0 else "series-0")
    if row.interval:
        axis.plot(row.interval, [place, place], color=colour, linewidth=5, alpha=0.28)
    at = row.value if finite(row.value) else high if row.value > 0 else axis.get_xlim()[0]
    shape = "X" if row.failed else "D" if place == 0 else "o"
    words = f"{row.words} {row.target}: {with_unit(metric, row.value)}"
    if row.interval:
        low, top = (with_unit(metric, end) for end in row.interval)
        words += f" (95 %: {low} … {top})"
    if row.samples:
        words += f", the first {count(row.samples, 'sample')}"
    (dot,) = axis.plot(
        [at], [place], shape, color=colour, markersize=10 if row.failed else 7.5, clip_on=False,
        markeredgecolor=sentinel("paper"), markeredgewidth=1.2, zorder=4,
    )  # fmt: skip
    if row.samples:
        dot.set(markerfacecolor=sentinel("paper"), markeredgecolor=colour)
    sheet.tip(dot, words)
    if row.failed:
        axis.annotate(with_unit(metric, row.value), (at, place), (11, 0), va="center",
                      textcoords="offset points", color=colour, fontweight=700)  # fmt: skip


def budget(sheet: Sheet, axis: Any, metric: str, rows: Sequence[Row]) -> None:
    """The forbidden side of the limit, and its edge; a limit of its own for each rung."""
    low, high = axis.get_xlim()
    above = 0.64 if sheet.narrow else 0.5  # a name stands there on a phone
    higher = METRICS[metric].better == "higher"
    limits = [(place, row.limit) for place, row in enumerate(rows) if finite(row.limit)]
    for place, limit in limits:
        worst = low if higher else high
        ends = [place - above, place - above + 1]
        axis.fill_betweenx(ends, worst, limit, color=sentinel("fail-wash"), linewidth=0)
        axis.plot([limit, limit], ends, color=sentinel("fail"), linewidth=1.5,
                  solid_capstyle="butt")  # fmt: skip
    if limits:
        place, limit = limits[0]
        shared = len({value for row, value in limits if not rows[row].samples}) <= 1
        sign = "≥" if higher else "≤"
        words = f"budget {sign} {with_unit(metric, limit)}" if shared else "budget"
        share = (limit - low) / (high - low)
        axis.text(limit, place - above - 0.16, words, color=sentinel("fail"), fontsize=11,
                  ha="left" if share < 0.3 else "right" if share > 0.7 else "center")  # fmt: skip


def span(rows: Sequence[Row]) -> tuple[float, float]:
    """A scale on which all of it is seen."""
    numbers = [
        number
        for row in rows
        for number in (row.value, row.limit, *(row.interval or ()))
        if finite(number)
    ]
    if not numbers:
        return 0.0, 1.0
    low, high = min(numbers), max(numbers)
    room = (high - low) * 0.08 or abs(high) * 0.01 or 1.0
    return low - room, high + room


def names(sheet: Sheet, axis: Any, rows: Sequence[Row], left: float, first: float) -> None:
    """What each rung is: beside its row, on a phone above it."""
    transform = axis.get_yaxis_transform()
    width = axis.get_position().width * sheet.width
    before = ""
    for place, row in enumerate(rows):
        fail = sentinel("fail") if row.failed else ""
        if sheet.narrow:
            words = f"{row.words} {row.target}".strip()
            axis.text(0, place - 0.4, words, transform=transform, va="center",
                      color=fail or sentinel("ink"), fontsize=11.5)  # fmt: skip
        else:
            said = "" if row.words == before else row.words
            axis.text((4 - left) / width, place, said, transform=transform, va="center",
                      color=fail or sentinel("ink"), fontweight=700)  # fmt: skip
            axis.text((4 + first - left) / width, place, row.target, transform=transform,
                      va="center", color=fail or sentinel("muted"))  # fmt: skip
        before = row.words
