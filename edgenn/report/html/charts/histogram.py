"""Histograms: the integers that a layer holds, the integer steps between two rungs."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from edgenn.drift.explain.report import Histogram
from edgenn.report.html.charts.drawing import Chart, Sheet, small_chart
from edgenn.report.html.theme import sentinel
from edgenn.report.html.words import percent

MANY: Final = 0.01
"""Share of values at one limit from which on they are marked: clipped, or zeros after a ReLU."""

STEEP: Final = 12
"""How much higher than the others a few bins have to be for a logarithmic scale."""


def values_chart(title: str, values: Histogram, name: str) -> Chart:
    """The integers of a layer's output; those at the limits, where clipping shows, are marked."""
    total = max(1, sum(values.counts))
    low, high = values.clipped_low / total, values.clipped_high / total

    def drawing(sheet: Sheet) -> None:
        bars(sheet, values, "integer", ends=(low > MANY, high > MANY))
        axis = sheet.figure.axes[0]
        for share, place, side in ((low, 0.0, "left"), (high, 1.0, "right")):
            if share > MANY / 10:
                colour = sentinel("warn" if share > MANY else "muted")
                axis.text(place, 1.03, f"{percent(share)} at the limit", transform=axis.transAxes,
                          ha=side, color=colour, fontsize=11)  # fmt: skip

    spoken = f"{percent(low)} at the lower limit, {percent(high)} at the upper one."
    return small_chart(name, title, spoken, drawing)


def differences_chart(title: str, differences: Histogram, name: str) -> Chart:
    """By how many integer steps an output differs."""
    edges, counts = differences.edges, differences.counts
    total = max(1, sum(counts))
    equal = sum(
        count for (low, high), count in zip(pairwise(edges), counts, strict=True) if low <= 0 < high
    )

    def drawing(sheet: Sheet) -> None:
        bars(sheet, differences, "integer steps", logarithmic=True)

    spoken = f"{percent(equal / total)} do not differ."
    return small_chart(name, title, spoken, drawing)


def bars(
    sheet: Sheet,
    histogram: Histogram,
    label: str,
    *,
    ends: Sequence[bool] = (False, False),
    logarithmic: bool = False,
) -> None:
    """A bar for each bin; bins at an end that is clipped have the colour of a warning."""
    edges, counts = histogram.edges, histogram.counts
    (axis,) = sheet.panels(206, (46, 12, 26, 42))
    axis.stairs(counts, edges, fill=True, color=sentinel("series-0"))
    for place, clipped in zip((0, len(counts) - 1), ends, strict=True):
        if clipped:
            limits = edges[place : place + 2]
            axis.stairs([counts[place]], limits, fill=True, color=sentinel("warn"))
    axis.set_ylim(bottom=0)
    axis.set_xlim(edges[0], edges[-1])
    axis.grid(visible=False, axis="x")
    axis.set_xlabel(label)
    axis.locator_params(axis="x", nbins=6)
    if logarithmic or steep(counts):
        axis.set_yscale("symlog", linthresh=1)
        axis.minorticks_off()
    else:
        axis.locator_params(axis="y", nbins=4)
    axis.yaxis.set_major_formatter(lambda value, _: short_count(value))


def steep(counts: Sequence[int]) -> bool:
    """Whether a few bins are so high that the others would not be seen."""
    return max(counts) > STEEP * sorted(counts)[-min(5, len(counts))]


def short_count(value: float) -> str:
    """``1200`` as ``1.2k``."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
