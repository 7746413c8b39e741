"""The samples that lie farthest from Keras."""

import heapq
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from edgenn.data import Dataset
from edgenn.drift.report import WorstSample
from edgenn.runtime.tensor_info import Array

KEPT: Final = 8
SHOWN_NUMBERS: Final = 64
"""Of an output."""
PICTURE: Final = 64
"""Height and width at most."""
POINTS: Final = 512
"""Of a curve at most."""


@dataclass
class Worst:
    """Keeps the worst samples of one output while chunks go by.

    Attributes:
        count: How many to keep.
    """

    output: str
    count: int = KEPT
    _heap: list[tuple[float, int, Array, Array]] = field(default_factory=list)

    def update(self, first: int, reference: Array, actual: Array) -> None:
        """A chunk, whose first sample is number ``first``."""
        errors = relative_l2(reference, actual)
        for row in np.argsort(-errors, kind="stable")[: self.count]:
            if not errors[row] > 0:
                continue
            # of equal errors the first sample stays: the index is negated
            heap_entry = (float(errors[row]), -(first + int(row)), reference[row], actual[row])
            if len(self._heap) < self.count:
                heapq.heappush(self._heap, heap_entry)
            elif heap_entry[:2] > self._heap[0][:2]:
                heapq.heapreplace(self._heap, heap_entry)

    def samples(self) -> tuple[WorstSample, ...]:
        """The worst first."""
        ordered = sorted(self._heap, key=lambda entry: entry[:2], reverse=True)
        return tuple(
            WorstSample(-index, self.output, error, {}, numbers(reference), numbers(actual))
            for error, index, reference, actual in ordered
        )


def relative_l2(reference: Array, actual: Array) -> Array:
    """‖actual − reference‖ / ‖reference‖ of each sample; of what is no number infinity."""
    wide = reference.astype(np.float64).reshape(len(reference), -1)
    given = actual.astype(np.float64).reshape(len(actual), -1)
    with np.errstate(all="ignore"):
        norms = np.maximum(np.linalg.norm(wide, axis=1), np.finfo(np.float32).tiny)
        errors: Array = np.linalg.norm(given - wide, axis=1) / norms
    return np.where(np.isnan(errors), np.inf, errors)


def numbers(array: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in array.ravel()[:SHOWN_NUMBERS])


def with_inputs(samples: tuple[WorstSample, ...], data: Dataset) -> tuple[WorstSample, ...]:
    """The samples with what went in, made small enough to be shown."""
    return tuple(
        replace(
            sample,
            inputs={
                name: shrunk(array[sample.index]).tolist() for name, array in data.inputs.items()
            },
            label=label_of(data, sample.index),
        )
        for sample in samples
    )


def label_of(data: Dataset, index: int) -> float | None:
    if data.labels is None or np.size(data.labels[index]) != 1:
        return None
    return float(np.ravel(data.labels[index])[0])


def shrunk(sample: Array) -> Array:
    """A picture with at most ``PICTURE`` rows and columns, a curve with at most ``POINTS``."""
    if sample.ndim == 3 and sample.shape[-1] in (1, 3):
        rows, columns = (-(-size // PICTURE) for size in sample.shape[:2])
        return np.asarray(sample[:: max(1, rows), :: max(1, columns)])
    if sample.ndim >= 1:
        curve = sample.reshape(len(sample), -1)
        return np.asarray(curve[:: max(1, -(-len(curve) // POINTS)), :PICTURE])
    return np.asarray(sample).reshape(1, 1)
