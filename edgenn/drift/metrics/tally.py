"""All metrics of one output, over any number of samples in bounded memory."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from edgenn.drift.metrics.labels import Layout, layout_of
from edgenn.drift.metrics.marks import Marks
from edgenn.drift.metrics.metric import Drift, Pair, Value
from edgenn.drift.metrics.registry import METRICS, require_metrics
from edgenn.drift.metrics.totals import DriftTotals
from edgenn.errors import DataError
from edgenn.runtime.tensor_info import Array

BLOCK_ELEMENTS: Final = 1 << 18
BLOCK_SAMPLES: Final = 1024


class Tally:
    """Metrics of one output, of samples that come in chunks of any size.

    Samples are looked at in blocks of a size that the output's shape alone decides, and the first
    block decides what the labels mean: chunks of other sizes give the same numbers.

    Args:
        metrics: Names of metrics that are asked for besides those that shapes tell to have a
            meaning.
        labelled: Whether labels come with the samples.
        seed: Of the bootstrap.
        beside: Another tally of the same reference and labels, which has seen all of them: what it
            knows of them is not worked out again. All other arguments have to be the same.

    Raises:
        UsageError: A metric that there is not.
    """

    def __init__(
        self,
        metrics: Sequence[str] | None = None,
        *,
        labelled: bool = False,
        seed: int = 0,
        beside: "Tally | None" = None,
    ) -> None:
        require_metrics(metrics or ())
        self._asked = set(metrics or ())
        self._labelled = labelled
        self._seed = seed
        self._pending: list[tuple[Array, ...]] = []
        self._drift: dict[str, DriftTotals] | None = None
        self._beside = beside
        self._reference, self._actual = Marks(Layout("other")), Marks(Layout("other"))

    def update(self, reference: Array, actual: Array, labels: Array | None = None) -> None:
        """Takes the next samples.

        Args:
            reference: Keras's output, ``(n, ...)``.
            actual: The artifact's, of the same shape.
            labels: ``(n, ...)``; only where ``labelled``.

        Raises:
            DataError: Shapes that do not fit each other.
        """
        arrays: tuple[Array, ...] = (np.asarray(reference), np.asarray(actual))
        if arrays[0].shape != arrays[1].shape:
            raise DataError(
                f"outputs of shape {arrays[1].shape}, the reference's {arrays[0].shape}"
            )
        if self._labelled:
            if labels is None or len(labels) != len(reference):
                count = "no" if labels is None else len(labels)
                raise DataError(f"{count} labels for {len(reference)} samples")
            arrays = (*arrays, np.asarray(labels))
        for block in self._blocks(arrays):
            self._take(block)

    def values(self) -> dict[str, Value]:
        """Every metric of ``METRICS`` by name; ``None`` where it has no meaning.

        To be read at the end: what the labels mean is settled then.
        """
        self._flush()
        with np.errstate(all="ignore"):
            drift = {name: kept.value() for name, kept in (self._drift or {}).items()}
            tasks = self._actual.values()
        return {name: {**drift, **tasks}.get(name) for name in METRICS}

    def reference_values(self) -> dict[str, Value]:
        """Task metrics of the reference; ``None`` where they have no meaning."""
        self._flush()
        with np.errstate(all="ignore"):
            found = self._reference.values()
        return {name: found.get(name) for name, metric in METRICS.items() if metric.of_labels}

    def intervals(self) -> dict[str, tuple[float, float]]:
        """Task metric → 95 % interval of (actual − reference), by paired bootstrap."""
        self._flush()
        with np.errstate(all="ignore"):
            return self._actual.intervals(self._reference)

    def _blocks(self, arrays: tuple[Array, ...]) -> Iterator[tuple[Array, ...]]:
        """Full blocks of what has come; the rest is kept, as a copy, for the next time."""
        size = block_size(arrays[0])
        waiting = sum(len(part[0]) for part in self._pending)
        start = 0
        while waiting + len(arrays[0]) - start >= size:
            stop = start + size - waiting
            head = tuple(array[start:stop] for array in arrays)
            yield joined([*self._pending, head])
            self._pending, waiting, start = [], 0, stop
        if start < len(arrays[0]):
            self._pending.append(tuple(array[start:].copy() for array in arrays))

    def _flush(self) -> None:
        if self._pending:
            block, self._pending = joined(self._pending), []
            self._take(block)

    def _take(self, block: tuple[Array, ...]) -> None:
        reference, actual, *labels = block
        if not reference.size:
            return
        # outputs that are no numbers are findings of the runner, not warnings
        with np.errstate(all="ignore"):
            if self._drift is None:
                self._begin(reference, labels[0] if labels else None)
            pair = Pair(reference.astype(np.float64), actual.astype(np.float64))
            for drift in (self._drift or {}).values():
                drift.add(pair)
            if labels:
                self._actual.add(actual, labels[0])
            if labels and self._beside is None:
                self._reference.add(reference, labels[0])

    def _begin(self, reference: Array, labels: Array | None) -> None:
        """Which metrics have a meaning."""
        self._drift = {
            name: DriftTotals(metric.rule)
            for name, metric in METRICS.items()
            if isinstance(metric.rule, Drift) and metric.rule.applies(reference)
        }
        if labels is None:
            return
        wanted = [m for m in METRICS.values() if not m.asked or m.name in self._asked]
        if self._beside is None:
            self._reference = Marks(layout_of(reference, labels), wanted, self._seed)
        else:
            self._beside._flush()
            self._reference = self._beside._reference
        self._actual = Marks(self._reference.layout, wanted, self._seed)


def block_size(output: Array) -> int:
    """Samples that are looked at together, by the size of one."""
    elements = max(1, int(np.prod(output.shape[1:])))
    return min(max(BLOCK_ELEMENTS // elements, 1), BLOCK_SAMPLES)


def joined(parts: Sequence[tuple[Array, ...]]) -> tuple[Array, ...]:
    if len(parts) == 1:
        return parts[0]
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))
