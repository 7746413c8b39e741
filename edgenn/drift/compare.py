"""Outputs of a rung beside those of Keras and of the rung before, in bounded memory."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from edgenn.data import Dataset
from edgenn.drift.explain.report import Histogram
from edgenn.drift.metrics import METRICS, Score, StepHistogram, Tally, Value
from edgenn.drift.outputs import OutputStore
from edgenn.drift.report import Intervals, Metrics, WorstSample
from edgenn.drift.worst import KEPT, Worst
from edgenn.errors import ArtifactError, DataError

CHUNK_BYTES = 1 << 22
"""Of the outputs that are compared in one go."""

SCORE_S = 2.0
"""For how long a recipe's own function may run to say how sure it is, of each rung."""

MOST_BINS = 256
"""Of a histogram."""

NOTHING: dict[str, Value] = dict.fromkeys(METRICS)

Number = TypeVar("Number")


@dataclass(frozen=True)
class Compared:
    """What a comparison found.

    Attributes:
        metrics: Against Keras.
        of_keras: The task metrics of Keras itself.
        intervals: Of the difference between the two.
        step: Against the rung before.
        worst: Of all outputs, the worst first.
        differences: By how many integer steps outputs differ from the rung before.
        tallies: Of each output: other rungs that ran as many samples take from them what they know
            of Keras.
    """

    metrics: Metrics
    of_keras: Metrics
    intervals: Intervals
    step: Metrics
    worst: tuple[WorstSample, ...]
    differences: Mapping[str, Histogram]
    tallies: Mapping[str, Tally]


def compare(
    reference: OutputStore,
    outputs: OutputStore,
    data: Dataset,
    where: str,
    before: OutputStore | None = None,
    scales: Mapping[str, float] | None = None,
    known: Mapping[str, Tally] | None = None,
) -> Compared:
    """Every metric of every output.

    Args:
        reference: Keras's outputs.
        outputs: The rung's: of all samples, or of the first ones.
        where: Names the rung in errors.
        before: Those of the rung before; samples that it lacks are left out of that comparison.
        scales: Output → its scale, of outputs that are integers on one grid in both rungs.
        known: The tallies of a rung that ran as many samples.

    Raises:
        ArtifactError: An output is missing.
        DataError: An output has another shape.
    """
    require_outputs(reference, outputs, where)
    # labels belong to the only output; with several nobody says to which
    labels = data.labels if len(reference.names) == 1 else None
    tallies = {
        name: Tally(
            data.metrics, labelled=labels is not None, beside=None if known is None else known[name]
        )
        for name in reference.names
    }
    pairs = {name: Pair(tally, Tally(), Worst(name)) for name, tally in tallies.items()}
    shared = 0 if before is None else len(before)
    steps = {name: StepHistogram(scale) for name, scale in (scales or {}).items()} if shared else {}
    for start, stop in chunks(reference, outputs):
        expected, given = reference.read(start, stop), outputs.read(start, stop)
        earlier = {} if before is None else before.read(start, stop)
        part = None if labels is None else labels[start:stop]
        for name, pair in pairs.items():
            pair.drift.update(expected[name], given[name], part)
            pair.worst.update(start, expected[name], given[name])
            if start < shared:
                pair.step.update(earlier[name], given[name][: shared - start])
                if name in steps:
                    steps[name].update(earlier[name], given[name][: shared - start])
    # the later one says more: a tally knows that there is a score, not what it is
    judges: dict[str, list[Tally | Score]] = {
        name: [pair.drift, *own_score(name, reference, outputs, data)]
        for name, pair in pairs.items()
    }
    worst = (sample for pair in pairs.values() for sample in pair.worst.samples())
    return Compared(
        {name: merged(judge.values() for judge in of) for name, of in judges.items()},
        {
            name: {**NOTHING, **merged(judge.reference_values() for judge in of)}
            for name, of in judges.items()
        },
        {name: merged(judge.intervals() for judge in of) for name, of in judges.items()},
        {name: pair.step.values() for name, pair in pairs.items()} if shared else {},
        tuple(sorted(worst, key=lambda sample: -sample.error)[:KEPT]),
        {name: of_steps(counted) for name, counted in steps.items()},
        tallies,
    )


def of_steps(counted: StepHistogram) -> Histogram:
    """The differences that occur, a bin for each; for several where there are too many."""
    low, high = counted.span
    width = -(-(high - low + 1) // MOST_BINS)
    shown = counted.counts[(counted.steps >= low) & (counted.steps <= high)]
    bins = np.add.reduceat(shown, np.arange(0, len(shown), width))
    edges = low - 0.5 + width * np.arange(len(bins) + 1)
    return Histogram(tuple(edges.tolist()), tuple(bins.tolist()))


def own_score(
    name: str, reference: OutputStore, outputs: OutputStore, data: Dataset
) -> list[Score]:
    """The recipe's own judgement, where there is one and it is about this output."""
    if data.score is None or data.labels is None or len(reference.names) > 1:
        return []
    count = len(outputs)
    expected, given = reference.mapped(name)[:count], outputs.mapped(name)
    return [Score(data.score, expected, given, data.labels[:count], seconds=SCORE_S)]


def merged(parts: Iterable[Mapping[str, Number]]) -> dict[str, Number]:
    return {name: value for part in parts for name, value in part.items()}


@dataclass(frozen=True)
class Pair:
    """What one output is beside Keras's."""

    drift: Tally
    step: Tally
    worst: Worst


def chunks(reference: OutputStore, outputs: OutputStore) -> Iterator[tuple[int, int]]:
    """Rows that are compared together."""
    row_bytes = sum(int(np.prod(shape[1:])) * 8 for shape in reference.shapes.values())
    rows = max(1, CHUNK_BYTES // max(1, row_bytes))
    for start in range(0, len(outputs), rows):
        yield start, min(start + rows, len(outputs))


def require_outputs(reference: OutputStore, outputs: OutputStore, where: str) -> None:
    """Whether the rung has Keras's outputs, in their shapes."""
    for name, expected in reference.shapes.items():
        if name not in outputs.names:
            raise ArtifactError(f"{where} has no output {name!r}, only {list(outputs.names)}")
        shape = outputs.shapes[name]
        if shape[1:] != expected[1:] or shape[0] > expected[0]:
            raise DataError(f"{where}: output {name!r} has shape {shape}, Keras gave {expected}")
