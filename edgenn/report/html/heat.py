"""The heat map: layers by files, the more error the hotter."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from edgenn.drift.explain.report import Explanation, LayerError
from edgenn.report.html.theme import HEAT
from edgenn.report.html.words import plain, variant


@dataclass(frozen=True)
class Measure:
    """What a heat map shows.

    Attributes:
        low: What is cold.
        high: What is hottest; between both the scale is logarithmic, the same in every report.
    """

    name: str
    title: str
    explained: str
    low: float
    high: float
    of: Callable[[LayerError], float]


MEASURES: Final = (
    Measure("introduced", "Introduced", "The layer's own error, on the inputs that it got in the"
            " file, relative to the Keras layer's output.", 1e-4, 1.0, lambda e: e.introduced),
    Measure("total", "In total", "The error of the layer's output, its own and what it inherited.",
            1e-4, 1.0, lambda e: e.total),
    Measure("excess", "Excess", "Its own error over what rounding explains: about 1 in a healthy"
            " file.", 1.0, 100.0, lambda e: e.excess),
)  # fmt: skip


@dataclass(frozen=True)
class Spot:
    """One layer in one file."""

    text: str
    level: int
    culprit: bool
    tip: str


@dataclass(frozen=True)
class Band:
    """One layer in all files; ``None`` where a file has no such layer."""

    layer: str
    op: str
    spots: tuple[Spot | None, ...]
    culprit: bool


@dataclass(frozen=True)
class HeatMap:
    """One measure of all layers in all files.

    Attributes:
        legend: From which value on each colour stands.
    """

    measure: Measure
    files: tuple[str, ...]
    bands: tuple[Band, ...]
    legend: tuple[str, ...]


def heat_maps(
    explanations: Sequence[Explanation], culprits: frozenset[tuple[str, str]]
) -> list[HeatMap]:
    """One map for each measure.

    Args:
        culprits: File and layer of those that are named.
    """
    return [heat_map(measure, explanations, culprits) for measure in MEASURES]


def heat_map(
    measure: Measure, explanations: Sequence[Explanation], culprits: frozenset[tuple[str, str]]
) -> HeatMap:
    by_file = [{layer.layer: layer for layer in entry.layers} for entry in explanations]
    ops = {layer.layer: layer.op for entry in explanations for layer in entry.layers}
    bands = []
    for layer, op in ops.items():
        spots = tuple(
            spot(measure, entry.artifact, layers[layer], culprits) if layer in layers else None
            for entry, layers in zip(explanations, by_file, strict=True)
        )
        guilty = any(entry is not None and entry.culprit for entry in spots)
        bands.append(Band(layer, op, spots, guilty))
    files = tuple(variant(entry.artifact) for entry in explanations)
    steps = (measure.high / measure.low) ** (1 / len(HEAT))
    legend = tuple(plain(measure.low * steps**level) for level in range(len(HEAT)))
    return HeatMap(measure, files, tuple(bands), legend)


def spot(
    measure: Measure, artifact: str, error: LayerError, culprits: frozenset[tuple[str, str]]
) -> Spot:
    value = measure.of(error)
    tip = (
        f"{error.layer} in {artifact}: introduced {plain(error.introduced)}, inherited"
        f" {plain(error.inherited)}, in total {plain(error.total)}, excess {plain(error.excess)}"
    )
    guilty = (artifact, error.layer) in culprits
    return Spot(plain(value), level(measure, value), guilty, tip)


def level(measure: Measure, value: float) -> int:
    """The colour of a value, an index of ``HEAT``; what is no number is as hot as can be."""
    if math.isnan(value) or value >= measure.high:
        return len(HEAT) - 1
    if value <= measure.low:
        return 0
    share = math.log(value / measure.low) / math.log(measure.high / measure.low)
    return min(int(share * len(HEAT)), len(HEAT) - 1)
