"""Calibration samples in batches that fit into memory."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Final

import numpy as np

from edgenn.errors import DataError
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.progress import Progress
from edgenn.quantization.calibration import observed_tensors

Samples = Mapping[str, Array]
"""Public input name → array of samples, ``(n, …)``."""

ELEMENTS_PER_BATCH: Final = 1 << 22
"""Activations that calibration holds at once; bounds its memory whatever the sample count."""
LARGEST_BATCH: Final = 32


def batches(
    graph: Graph,
    samples: Samples,
    progress: Progress,
    *,
    rows: Array | None = None,
    stage: str = "calibrating",
) -> Iterator[dict[str, Array]]:
    """The samples in batches of bounded size, in the inputs' dtypes.

    A graph of fixed batch takes just that many at a time; its last batch is filled up with
    samples seen before, which changes no extreme.

    Args:
        rows: Indices of the samples to take; all by default.
        stage: What the progress is called.

    Raises:
        DataError: Names, shapes or counts that do not fit the graph.
    """
    tensors = {public: graph.tensors[name] for public, name in graph.inputs.items()}
    require_fit(graph, samples)
    wanted = np.arange(len(next(iter(samples.values())))) if rows is None else rows
    count = len(wanted)
    fixed = next((tensor.shape[0] for tensor in tensors.values()), None)
    size = fixed or batch_size(graph)
    for start in range(0, count, size):
        end = start + size if fixed else min(start + size, count)
        taken = wanted[np.arange(start, end) % count]
        yield {
            public: np.asarray(samples[public][taken]).astype(tensor.dtype, copy=False)
            for public, tensor in tensors.items()
        }
        progress(stage, min(start + size, count), count)


def batch_size(graph: Graph) -> int:
    """Samples whose activations together stay within bounded memory."""
    elements = sum(
        prod(size or 1 for size in graph.tensors[name].shape[1:])
        for name in observed_tensors(graph)
    )
    return max(1, min(LARGEST_BATCH, ELEMENTS_PER_BATCH // max(1, elements)))


def require_fit(graph: Graph, samples: Samples) -> None:
    """Whether samples have the shapes that the graph takes.

    Raises:
        DataError: An input is missing or has another shape.
    """
    for public, name in graph.inputs.items():
        expected = graph.tensors[name].shape
        if public not in samples:
            raise DataError(
                f"no data for input {public!r}; there are {sorted(samples)}",
                "give one array per input, named like it",
            )
        shape = samples[public].shape
        fits = all(e is None or a == e for a, e in zip(shape[1:], expected[1:], strict=False))
        if len(shape) != len(expected) or not fits:
            sizes = ", ".join("any" if size is None else str(size) for size in expected[1:])
            raise DataError(
                f"input {public!r} takes samples of shape ({sizes}), the data are {shape}",
                "the first dimension of the data counts the samples",
            )
