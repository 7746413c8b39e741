"""What a file costs and what it is worth: size against a metric, latency as colour."""

import math
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Final

from edgenn.drift import METRICS, CheckReport
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
from edgenn.report.numbers import milliseconds_text, size_text

SHAPES: Final = "os^Dvp*hP<>d"
"""One for each target, over again where there are more."""
SPEEDS: Final = ("series-2", "series-0", "series-3", "series-5")
"""From fast to slow; colour is never alone, the tip has the number."""

COLUMNS: Final = (3, 2)
"""Of the legend, on a desktop and on a phone."""
LINE: Final = 19
"""Height of a line of the legend, in CSS pixels."""
LIFTS: Final = (10, -20, 24, -34, 38, -48, 52, -62, -1000)
"""Where a label stands over or under its mark, the first that is free."""
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
        columns, colours = COLUMNS[sheet.narrow], colour_keys(points)
        above = 12 + LINE * (rows(targets, columns) + rows(colours, columns))
        (axis,) = sheet.panels(312 + above, (46, 16, 14 + above, 46))
        scale(axis, points, metric, above)
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
        legends(sheet, axis, targets, colours, columns)

    return draw(name, title, spoken, drawing, width=HALF)


def points_of(report: CheckReport, output: str, metric: str) -> list[Point]:
    points = []
    for rung in report.rungs:
        value = (rung.metrics or {}).get(output, {}).get(metric)
        other_samples = METRICS[metric].of_labels and is_partial(report, rung)
        if rung.size_bytes and finite(value) and rung.time != "none" and not other_samples:
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


def scale(axis: Any, points: Sequence[Point], metric: str, above: float) -> None:
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
    room = (max(values) - min(values)) * 0.14 or abs(max(values)) * 0.005 or 1.0
    axis.set_ylim(min(values) - room, max(values) + 2 * room)  # labels stand above
    axis.yaxis.set_major_formatter(lambda value, _: tick_text(metric, value))
    axis.set_xlabel("size of the file")
    axis.set_title(f"{heading_of(metric)}, {METRICS[metric].better} is better", pad=above - 4)


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
    """What each file is, beside its best mark, where no other label stands yet."""
    ceiling = axis.transAxes.transform((0, 1))[1]
    marks = (axis.transData.transform((point.size_bytes, point.value)) for point in points)
    taken = [(float(x), float(y) - 4, 5.0) for x, y in marks]
    for words, point in named_points(axis, points):
        x, y = axis.transData.transform((point.size_bytes, point.value))
        half = 3.3 * len(words) + 4
        centre = min(max(x, half), sheet.width - half)
        lift = next(lift for lift in LIFTS if fits(centre, y + lift, half, ceiling, taken))
        taken.append((centre, y + lift, half))
        axis.annotate(
            words, (point.size_bytes, point.value), (centre, y + lift), ha="center",
            textcoords="figure pixels", annotation_clip=False, fontsize=11,
            arrowprops={"arrowstyle": "-", "color": sentinel("line")} if abs(lift) > 20 else None,
        )  # fmt: skip


def named_points(axis: Any, points: Sequence[Point]) -> list[tuple[str, Point]]:
    """A name and the best point of each file; files of one scheme that lie together share it."""
    best: dict[str, Point] = {}
    for point in points:
        if point.file not in best or point.value > best[point.file].value:
            best[point.file] = point
    named: list[tuple[str, Point]] = []
    for point in sorted(best.values(), key=lambda point: (point.size_bytes, point.words)):
        place = axis.transData.transform((point.size_bytes, point.value))
        for number, (_, other) in enumerate(named):
            apart = axis.transData.transform((other.size_bytes, other.value)) - place
            if other.words == point.words and abs(apart[0]) < 50 and abs(apart[1]) < 14:
                named[number] = (point.words, other)
                break
        else:
            named.append((f"{point.words} {point.file.rpartition('.')[2]}", point))
    return named


def fits(
    x: float, y: float, half: float, ceiling: float, taken: Sequence[tuple[float, float, float]]
) -> bool:
    """Whether a label has room there, which the last place to try always has."""
    free = all(abs(x - a) >= half + width or abs(y - b) >= 14 for a, b, width in taken)
    return (free and y < ceiling - 8) or y < 0


def colour_keys(points: Sequence[Point]) -> dict[str, str]:
    """Colour → the latencies that it stands for."""
    keys = {}
    for colour in SPEEDS:
        times = sorted(p.latency_ms for p in points if p.latency_ms and speed(p, points) == colour)
        if times:
            ends = dict.fromkeys(milliseconds_text(end) for end in (times[0], times[-1]))
            keys[colour] = f"{' – '.join(ends)} ms"
    return keys


def legends(
    sheet: Sheet, axis: Any, targets: Sequence[str], colours: Mapping[str, str], columns: int
) -> None:
    """What shapes and colours mean, above the chart."""
    shapes = [
        axis.plot([], [], SHAPES[number % len(SHAPES)], color=sentinel("muted"), label=target)[0]
        for number, target in enumerate(targets)
    ]
    squares = [
        axis.plot([], [], "s", color=sentinel(colour), label=words)[0]
        for colour, words in colours.items()
    ]
    options = {"loc": "lower left", "handlelength": 1, "borderaxespad": 0, "columnspacing": 1.4,
               "handletextpad": 0.4, "ncols": columns}  # fmt: skip
    height = axis.get_position().height * sheet.figure.get_figheight() * 72
    if squares:
        axis.add_artist(axis.legend(handles=squares, bbox_to_anchor=(-0.01, 1.01), **options))
    up = LINE * rows(squares, columns) / height
    axis.legend(handles=shapes, bbox_to_anchor=(-0.01, 1.01 + up), **options)


def rows(entries: Sized, columns: int) -> int:
    return -(-len(entries) // columns)
