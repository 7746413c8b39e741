"""One pass over samples: what each of their numbers ranges over, and which are the same."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from edgenn.batches import require_fit
from edgenn.data import Dataset
from edgenn.data.samples import CHUNK_BYTES
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.quantization.parameters import Range

DIGEST_BYTES = 16
"""Of 2⁶⁴ samples, two would have the same by chance."""


@dataclass(frozen=True)
class Extremes:
    """The smallest and largest that each number of an input is, over all samples.

    Attributes:
        low, high: Of the shape of one sample.
    """

    low: Array
    high: Array

    @property
    def range(self) -> Range:
        return Range(float(self.low.min()), float(self.high.max()))


@dataclass(frozen=True)
class Survey:
    """What one pass over samples tells.

    Attributes:
        source: Where they come from.
        inputs: Public input name → its extremes.
        digests: A hash of each sample over all inputs, as the model's dtypes hold it.
        steps: Steps in a sample where the model leaves a dimension open, else 1.
    """

    source: str
    inputs: Mapping[str, Extremes]
    digests: tuple[bytes, ...]
    steps: int = 1

    def __len__(self) -> int:
        return len(self.digests)


def survey(graph: Graph, data: Dataset) -> Survey:
    """Looks at every sample once, a bounded part of them at a time.

    Raises:
        DataError: Samples that do not fit the graph.
    """
    require_fit(graph, data.inputs)
    digests: list[bytes] = []
    seen: dict[str, Extremes] = {}
    for part in parts(graph, data):
        digests.extend(digests_of(part))
        for public, array in part.items():
            low, high = array.min(axis=0), array.max(axis=0)
            if public in seen:
                low = np.minimum(low, seen[public].low)
                high = np.maximum(high, seen[public].high)
            seen[public] = Extremes(low, high)
    return Survey(data.source, seen, tuple(digests), open_steps(graph, data))


def parts(graph: Graph, data: Dataset) -> Iterator[dict[str, Array]]:
    """Consecutive samples in the dtypes of the model's inputs."""
    dtypes = {public: graph.tensors[name].dtype for public, name in graph.inputs.items()}
    size = max(1, sum(data.inputs[public].nbytes for public in dtypes) // len(data))
    for part in data.batches(max(1, CHUNK_BYTES // size)):
        yield {public: np.asarray(part[public]).astype(dtypes[public]) for public in dtypes}


def digests_of(part: Mapping[str, Array]) -> Iterator[bytes]:
    """A hash of each sample."""
    # + 0 makes 0 of -0, which is the same number in other bytes
    arrays = [np.ascontiguousarray(a if a.dtype.kind == "b" else a + 0) for a in part.values()]
    for rows in zip(*arrays, strict=True):
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        for row in rows:
            digest.update(row.tobytes())
        yield digest.digest()


def open_steps(graph: Graph, data: Dataset) -> int:
    """How many steps the samples have along dimensions that the model leaves open."""
    steps = 1
    for public, name in graph.inputs.items():
        shapes = zip(graph.tensors[name].shape[1:], data.inputs[public].shape[1:], strict=True)
        steps = max([steps, *(given for size, given in shapes if size is None)])
    return steps
