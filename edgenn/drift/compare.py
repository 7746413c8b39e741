"""Outputs of a rung beside those of Keras and of the rung before, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgenn.data import Dataset
from edgenn.drift.metrics import METRICS, Tally, Value
from edgenn.drift.outputs import OutputStore
from edgenn.drift.report import Intervals, Metrics, WorstSample
from edgenn.drift.worst import KEPT, Worst
from edgenn.errors import ArtifactError, DataError

CHUNK_BYTES = 1 << 22
"""Of the outputs that are compared in one go."""

NOTHING: dict[str, Value] = dict.fromkeys(METRICS)


@dataclass(frozen=True)
class Compared:
    """What a comparison found.

    Attributes:
        metrics: Against Keras.
        of_keras: The task metrics of Keras itself.
        intervals: Of the difference between the two.
        step: Against the rung before.
        worst: Of all outputs, the worst first.
    """

    metrics: Metrics
    of_keras: Metrics
    intervals: Intervals
    step: Metrics
    worst: tuple[WorstSample, ...]


def compare(
    reference: OutputStore,
    outputs: OutputStore,
    data: Dataset,
    where: str,
    before: OutputStore | None = None,
) -> Compared:
    """Every metric of every output.

    Args:
        reference: Keras's outputs.
        outputs: The rung's: of all samples, or of the first ones.
        where: Names the rung in errors.
        before: Those of the rung before; samples that it lacks are left out of that comparison.

    Raises:
        ArtifactError: An output is missing.
        DataError: An output has another shape.
    """
    require_outputs(reference, outputs, where)
    # labels belong to the only output; with several nobody says to which
    labels = data.labels if len(reference.names) == 1 else None
    pairs = {
        name: Pair(Tally(data.metrics, labelled=labels is not None), Tally(), Worst(name))
        for name in reference.names
    }
    known = 0 if before is None else len(before)
    for start, stop in chunks(reference, outputs):
        expected, given = reference.read(start, stop), outputs.read(start, stop)
        earlier = {} if before is None else before.read(start, stop)
        part = None if labels is None else labels[start:stop]
        for name, pair in pairs.items():
            pair.drift.update(expected[name], given[name], part)
            pair.worst.update(start, expected[name], given[name])
            if start < known:
                pair.step.update(earlier[name], given[name][: known - start])
    worst = (sample for pair in pairs.values() for sample in pair.worst.samples())
    return Compared(
        {name: pair.drift.values() for name, pair in pairs.items()},
        {name: {**NOTHING, **pair.drift.reference_values()} for name, pair in pairs.items()},
        {name: pair.drift.intervals() for name, pair in pairs.items()},
        {name: pair.step.values() for name, pair in pairs.items()} if known else {},
        tuple(sorted(worst, key=lambda sample: -sample.error)[:KEPT]),
    )


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
