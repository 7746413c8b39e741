"""The error of a recurrent layer: over time, by gate and state, by length of the sequences."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from edgenn.drift.explain.report import Explanation, LengthBucket
from edgenn.report.html.charts.drawing import Chart, Sheet, small_chart
from edgenn.report.html.theme import SERIES, sentinel
from edgenn.report.html.words import power

MOST: Final = len(SERIES)
"""Files in one chart."""

Curves = Mapping[str, Sequence[float]]
"""What a file is called → its errors."""
Bars = Mapping[str, Mapping[str, float]]
"""What a file is called → gate, state or length → its error."""


def steps_chart(layer: str, curves: Curves, name: str) -> Chart:
    """Lines: the error at each time step, a line for each file."""

    def drawing(sheet: Sheet) -> None:
        (axis,) = sheet.panels(290 + 18 * sheet.narrow, (52, 14, 24 + 18 * rows(curves), 44))
        for colour, (file, errors) in zip(SERIES, curves.items(), strict=False):
            steps = range(1, len(errors) + 1)
            (line,) = axis.plot(steps, errors, color=sentinel(colour), linewidth=2, label=file)
            if len(errors) <= 24:
                line.set_marker("o")
                line.set_markersize(4)
        scale(axis, [value for errors in curves.values() for value in errors], "y")
        axis.set_xlabel("time step")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_title("relative error", pad=10 + 18 * rows(curves))
        legend(axis, curves)

    spoken = "; ".join(
        f"{file}: {errors[0]:.2g} at the first step, {errors[-1]:.2g} at the last"
        for file, errors in curves.items()
    )
    return small_chart(name, f"{layer}: error over time steps", spoken, drawing)


def bars_chart(title: str, bars: Bars, name: str) -> Chart:
    """Bars: the error of each gate, state or length, a bar for each file."""
    labels = list(dict.fromkeys(label for values in bars.values() for label in values))

    def drawing(sheet: Sheet) -> None:
        each = 18 if len(bars) == 1 else 11
        height = len(labels) * (each * len(bars) + 14) + 68 + 18 * rows(bars)
        left = 16 + 7.4 * max(map(len, labels))
        (axis,) = sheet.panels(height, (left, 30, 24 + 18 * rows(bars), 36))
        thickness = 0.8 / len(bars)
        for number, (file, values) in enumerate(bars.items()):
            places = [
                place + (number - (len(bars) - 1) / 2) * thickness for place in range(len(labels))
            ]
            axis.barh(
                places, [values.get(label, 0) for label in labels], thickness * 0.86,
                color=sentinel(SERIES[number]), label=file,
            )  # fmt: skip
        axis.set_yticks(range(len(labels)), labels)
        axis.set_ylim(len(labels) - 0.5, -0.5)
        axis.grid(visible=False, axis="y")
        axis.locator_params(axis="x", nbins=4)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
        axis.set_title("relative error", pad=10 + 18 * rows(bars))
        legend(axis, bars)

    worst = max(
        ((value, label, file) for file, values in bars.items() for label, value in values.items()),
        default=(0.0, "none", ""),
    )
    spoken = f"The largest: {worst[1]} of {worst[2]}, {worst[0]:.2g}."
    return small_chart(name, title, spoken, drawing)


def bucket_text(bucket: LengthBucket) -> str:
    steps = str(bucket.low) if bucket.low == bucket.high else f"{bucket.low}–{bucket.high}"
    return f"{steps} steps, n = {bucket.samples}"


def lengths_of(explanations: Sequence[Explanation]) -> dict[str, dict[str, float]]:
    """File → length → error, of files whose sequences have any length."""
    return {
        entry.artifact: {bucket_text(bucket): bucket.error for bucket in entry.lengths}
        for entry in explanations
        if entry.lengths
    }


def scale(axis: Any, values: Sequence[float], which: str) -> None:
    """Logarithmic where the values differ by more than one can see on a linear scale."""
    positive = [value for value in values if value > 0]
    if positive and max(positive) > 30 * min(positive):
        getattr(axis, f"set_{which}scale")("log")
        getattr(axis, f"{which}axis").set_major_formatter(lambda value, _: power(value))
    elif which == "y":
        axis.set_ylim(bottom=0)


def rows(series: Mapping[str, Any]) -> int:
    """Of the legend; a single file needs none."""
    return -(-len(series) // 2) if len(series) > 1 else 0


def legend(axis: Any, series: Mapping[str, Any]) -> None:
    """What each colour is, above the chart in two columns."""
    if len(series) > 1:
        axis.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, handlelength=1,
                    borderaxespad=0, handletextpad=0.5, columnspacing=1.2)  # fmt: skip
