"""Samples for calibration, checking and running."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenn.data.mapped import let_go
from edgenn.errors import DataError

Array = NDArray[Any]

CHUNK_BYTES = 1 << 21
"""How much of an array is looked at in one go, so that a mapped file never lies in memory whole."""


@dataclass(frozen=True)
class Dataset:
    """Samples of every input and, where known, their labels.

    Attributes:
        inputs: Input name → array, samples first; may be mapped from a file.
        labels: Class indices ``(n,)``, or whatever the recipe's ``score`` takes.
        source: Where they come from, for messages.
        score: A recipe's own judgement: ``(predictions, labels)`` → a number, higher is better.
        metrics: Task metrics that a recipe asks for by name, besides those that have a meaning
            for any such output and labels.
    """

    inputs: Mapping[str, Array]
    labels: Array | None = None
    source: str = "the data"
    score: Callable[[Any, Any], float] | None = None
    metrics: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def batches(self, size: int) -> Iterator[dict[str, Array]]:
        """Consecutive samples, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield {name: array[start : start + size] for name, array in self.inputs.items()}
            let_go(*self.inputs.values())

    @cached_property
    def sha256(self) -> str:
        """Of names, dtypes, shapes and values: the same for the same data, however stored."""
        digest = hashlib.sha256()
        for name, array in sorted(self.inputs.items()):
            digest.update(f"{name}\0{array.dtype.newbyteorder('=').name}\0{array.shape}\n".encode())
            for chunk in chunks(array):
                little = np.ascontiguousarray(chunk, chunk.dtype.newbyteorder("<"))
                digest.update(little.reshape(-1).view(np.uint8).data)
        return digest.hexdigest()


def dataset(inputs: Mapping[str, Any], labels: Any = None, source: str = "the data") -> Dataset:
    """Checks arrays and makes a dataset of them.

    Raises:
        DataError: No samples, samples that are no numbers, NaN or infinite, or arrays of
            different lengths.
    """
    arrays = {name: np.asanyarray(array) for name, array in inputs.items()}
    for name, array in arrays.items():
        require_numbers(name, array, source)
    counts = {name: len(array) for name, array in arrays.items()}
    if labels is not None:
        labels = np.asanyarray(labels)
        counts["labels"] = len(labels) if labels.ndim else 0
    if len(set(counts.values())) > 1:
        raise DataError(f"{source}: the arrays differ in their number of samples: {counts}")
    return Dataset(arrays, labels, source)


def require_numbers(name: str, array: Array, source: str) -> None:
    """Raises DataError where an array cannot be samples of a model."""
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"{source}: {name!r} holds {array.dtype}, not numbers",
            "save it as float32 or as integers",
        )
    if array.ndim == 0 or len(array) == 0:
        raise DataError(f"{source}: {name!r} holds no samples; its shape is {array.shape}")
    if array.size == 0:
        raise DataError(f"{source}: the samples of {name!r} are empty; its shape is {array.shape}")
    if array.dtype.kind != "f":
        return
    start = 0
    for chunk in chunks(array):
        bad = ~np.isfinite(chunk)
        if bad.any():
            first = start + int(np.argmax(bad.reshape(len(chunk), -1).any(axis=1)))
            raise DataError(
                f"{source}: {name!r} holds NaN or infinite values, first in sample {first}",
                "remove those samples or repair them",
            )
        start += len(chunk)


def chunks(array: Array) -> Iterator[Array]:
    """The array along its first axis, in pieces of bounded size."""
    row_bytes = max(1, array.nbytes // len(array)) if len(array) else 1
    rows = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        let_go(array)
