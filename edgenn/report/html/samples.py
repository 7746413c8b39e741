"""The samples that lie farthest from Keras, rung by rung."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgenn.drift import CheckReport, Rung
from edgenn.drift.report import WorstSample
from edgenn.report.html.pictures import Picture, input_view, output_view
from edgenn.report.html.words import plain

MOST: Final = 160
"""Samples in one page, which stays under 3 MB with them."""
INPUTS: Final = 3
"""Of a sample."""


@dataclass(frozen=True)
class Card:
    """One sample: what went in, what Keras and the rung say; ``output`` names one of several."""

    title: str
    error: str
    inputs: tuple[tuple[str, Picture | None, str], ...]
    output: str
    outputs: str


@dataclass(frozen=True)
class RungSamples:
    """The worst samples of a rung; the ``open`` one is seen at once."""

    label: str
    cards: tuple[Card, ...]
    worst: str
    open: bool


def worst_samples(report: CheckReport, focus: Rung | None) -> tuple[list[RungSamples], int]:
    """Of each rung in the ladder's order, and how many samples found no room.

    Args:
        focus: The rung that comes first where there is not room for all, then those that failed.
    """
    rungs = [rung for rung in report.rungs if rung.worst]
    first = focus if focus in rungs else max(rungs, key=lambda r: r.worst[0].error, default=None)
    eager = sorted(rungs, key=lambda rung: (rung is not first, not rung.failed))
    room, kept = MOST, {}
    for rung in eager:
        kept[id(rung)] = rung.worst[:room]
        room -= len(kept[id(rung)])
    several = len(report.reference_metrics) > 1
    known = {sample.index: sample for rung in rungs for sample in rung.worst if sample.inputs}
    views = [
        RungSamples(
            rung.label,
            cards(kept[id(rung)], known, several=several),
            plain(rung.worst[0].error),
            rung is first,
        )
        for rung in rungs
        if kept[id(rung)]
    ]
    return views, sum(len(rung.worst) - len(kept[id(rung)]) for rung in rungs)


def cards(
    samples: Sequence[WorstSample], known: Mapping[int, WorstSample], *, several: bool
) -> tuple[Card, ...]:
    """A card each; what went in may be ``known`` from another rung, by the index."""
    return tuple(
        card(sample, known.get(sample.index, sample), several=several) for sample in samples
    )


def card(sample: WorstSample, shown: WorstSample, *, several: bool) -> Card:
    views = []
    for name, numbers in list(shown.inputs.items())[:INPUTS]:
        view = input_view(numbers)
        views.append((name, view, "") if isinstance(view, Picture) else (name, None, view))
    label = "" if shown.label is None else f", label {shown.label:g}"
    drawn = output_view(sample.reference, sample.actual, shown.label) if sample.reference else ""
    title = f"Sample {sample.index}{label}"
    return Card(title, plain(sample.error), tuple(views), sample.output if several else "", drawn)
