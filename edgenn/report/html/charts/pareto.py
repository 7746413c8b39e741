"""What a file costs and what it is worth: size against a metric, latency as colour."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from edgenn.drift import METRICS, CheckReport
from edgenn.report.html.charts.drawing import Chart, Sheet, draw
from edgenn.report.html.theme import sentinel
from edgenn.report.html.words import (
    count,
    finite,
    heading_of,
    listed,
    scheme_words,
    tick_text,
    title_of,
    with_unit,
)
from edgenn.report.numbers import milliseconds_text, size_text

SHAPES: Final = "os^Dvp*hP<>d"
"""One for each target, over again where there are more."""
SPEEDS: Final = ("series-2", "series-0", "series-3", "series-5")
"""From fast to slow; colour is never alone, the tip has the number."""

COLUMNS: Final = (3, 2)
"""Of the legend, on a desktop and on a phone."""
HALF: Final = 485
"""Width of one of two charts side by side, in CSS pixels."""


@dataclass(frozen=True)
class Point:
    """One rung: a file on a target."""

    words: str
    file: str
    target: str
    size_bytes: int
    value: float
    latency_ms: float | None

    @property
    def label(self) -> str:
        return f"{self.words} {self.target}"


def pareto_chart(report: CheckReport, output: str, metric: str, name: str) -> Chart | None:
    """One panel; nothing where fewer than two files have a size and a value."""
    points = points_of(report, output, metric)
    if len({point.file for point in points}) < 2:
        return None
    best = front(points, METRICS[metric].better == "higher")
    title = f"Size against {title_of(metric)}"
    spoken = (
        f"{count(len(points), 'rung')}. Best for their size: {listed([p.label for p in best])}."
    )

    def drawing(sheet: Sheet) -> None:
        targets = list(dict.fromkeys(point.target for point in points))
        lines = -(-len(targets) // COLUMNS[sheet.narrow]) + 2
        (axis,) = sheet.panels(310 + 20 * lines, (46, 16, 24 + 20 * lines, 46))
        scale(axis, points, metric, lines)
        axis.plot(
            *staircase(best, axis), color=sentinel("muted"), linewidth=1.2, linestyle=(0, (4, 3))
        )
        for point in points:
            shape = SHAPES[targets.index(point.target) % len(SHAPES)]
            (mark,) = axis.plot(
                [point.size_bytes], [point.value], shape,
                color=sentinel(speed(point, points)), markersize=9, alpha=0.9,
                markeredgecolor=sentinel("paper"), markeredgewidth=1,
            )  # fmt: skip
            words = f"{point.label}: {size_text(point.size_bytes)}, "
            words += f"{with_unit(metric, point.value)}, {latency(point)}"
            sheet.tip(mark, words)
        labels(sheet, axis, points)
        keys(sheet, axis, targets, points)

    return draw(name, title, spoken, drawing, width=HALF)


def points_of(report: CheckReport, output: str, metric: str) -> list[Point]:
    points = []
    for rung in report.rungs:
        value = (rung.metrics or {}).get(output, {}).get(metric)
        if rung.size_bytes and value is not None and finite(value):
            timed = rung.time == "measured" and not rung.facts.software
            points.append(
                Point(
                    scheme_words(rung),
                    rung.artifact,
                    rung.target,
                    rung.size_bytes,
                    value,
                    rung.latency_ms if timed else None,
                )
            )
    return points


def front(points: Sequence[Point], higher: bool) -> list[Point]:
    """The points that no other one beats in both size and value (Pareto), smallest first."""
    sign = 1 if higher else -1
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.size_bytes, -sign * point.value)):
        if not best or sign * point.value > sign * best[-1].value:
            best.append(point)
    return best


def staircase(best: Sequence[Point], axis: Any) -> tuple[list[float], list[float]]:
    """The edge of what is reached: from each point on the same value up to the next size."""
    sizes: list[float] = []
    values: list[float] = []
    for point in best:
        if values:
            sizes.append(point.size_bytes)
            values.append(values[-1])
        sizes.append(point.size_bytes)
        values.append(point.value)
    return [*sizes, axis.get_xlim()[1]], [*values, values[-1]]


def scale(axis: Any, points: Sequence[Point], metric: str, lines: int) -> None:
    """Size on a logarithmic axis with ticks at round numbers."""
    sizes = [point.size_bytes for point in points]
    low, high = min(sizes) / 1.35, max(sizes) * 1.35
    axis.set_xscale("log")
    axis.set_xlim(low, high)
    decade = 10.0 ** math.floor(math.log10(low))
    steps = (1, 2, 5) if high / low < 300 else (1,)
    ticks = [decade * 10**power * step for power in range(9) for step in steps]
    axis.set_xticks([tick for tick in ticks if low <= tick <= high])
    axis.minorticks_off()
    axis.xaxis.set_major_formatter(lambda value, _: size_text(round(value)).replace(".0 ", " "))
    values = [point.value for point in points]
    room = (max(values) - min(values)) * 0.14 or abs(max(values)) * 0.02 or 1.0
    axis.set_ylim(min(values) - room, max(values) + 2.4 * room)  # labels stand above
    axis.yaxis.set_major_formatter(lambda value, _: tick_text(metric, value))
    axis.set_xlabel("size of the file")
    axis.set_title(f"{heading_of(metric)}, {METRICS[metric].better} is better", pad=12 + 20 * lines)


def speed(point: Point, points: Sequence[Point]) -> str:
    """Its colour: the range of latencies in four equal parts of a logarithmic scale."""
    if not point.latency_ms:
        return "muted"
    known = [math.log(other.latency_ms) for other in points if other.latency_ms]
    span = max(known) - min(known)
    share = (math.log(point.latency_ms) - min(known)) / span if span else 0.0
    return SPEEDS[min(int(share * len(SPEEDS)), len(SPEEDS) - 1)]


def latency(point: Point) -> str:
    return f"{milliseconds_text(point.latency_ms)} ms" if point.latency_ms else "not timed"


def labels(sheet: Sheet, axis: Any, points: Sequence[Point]) -> None:
    """What each file is, over its highest mark; one that would cover another moves up."""
    taken: list[tuple[float, float, float, float]] = []
    tops: dict[str, Point] = {}
    for point in points:
        if point.file not in tops or point.value > tops[point.file].value:
            tops[point.file] = point
    said: set[str] = set()
    for point in sorted(tops.values(), key=lambda point: (point.size_bytes, point.words)):
        if point.words in said:  # the other format of the same scheme
            continue
        said.add(point.words)
        x, y = axis.transData.transform((point.size_bytes, point.value))
        half = 3.6 * len(point.words) + 3
        x = min(max(x, half), sheet.width - half)
        lift = 10.0
        while any(
            abs(x - other) < half + width and abs(y + lift - height) < 15
            for other, height, width, _ in taken
        ):
            lift += 15
        taken.append((x, y + lift, half, lift))
        axis.annotate(
            point.words, (point.size_bytes, point.value), (x, y + lift), ha="center",
            textcoords="figure pixels", annotation_clip=False, fontsize=11.5,
            arrowprops={"arrowstyle": "-", "color": sentinel("line")} if lift > 10 else None,
        )  # fmt: skip


def keys(sheet: Sheet, axis: Any, targets: Sequence[str], points: Sequence[Point]) -> None:
    """What shapes and colours mean."""
    make = axis.plot
    shapes = [
        make([], [], SHAPES[number % len(SHAPES)], color=sentinel("muted"), label=target)[0]
        for number, target in enumerate(targets)
    ]
    known = {
        colour: sorted(p.latency_ms for p in points if p.latency_ms and speed(p, points) == colour)
        for colour in SPEEDS
    }
    colours = []
    for colour, times in known.items():
        if times:
            ends = dict.fromkeys(milliseconds_text(end) for end in (times[0], times[-1]))
            label = f"{' – '.join(ends)} ms"
            colours.append(make([], [], "s", color=sentinel(colour), label=label)[0])
    columns = COLUMNS[sheet.narrow]
    options = {"loc": "lower left", "handlelength": 1, "borderaxespad": 0, "columnspacing": 1.4,
               "handletextpad": 0.4, "ncols": columns}  # fmt: skip
    above = axis.get_position().height * sheet.figure.get_figheight() * 72
    lines = -(-len(colours) // columns)
    if colours:
        axis.add_artist(axis.legend(handles=colours, bbox_to_anchor=(-0.01, 1.01), **options))
    axis.legend(handles=shapes, bbox_to_anchor=(-0.01, 1.01 + 20 * lines / above), **options)
