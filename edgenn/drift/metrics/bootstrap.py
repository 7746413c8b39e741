"""How sure a task metric is: paired bootstrap over sums, in memory that does not grow.

Up to ``GROUPS`` samples each has its own row of sums and the bootstrap is the ordinary one (Efron
& Tibshirani 1993, chapter 13, percentile interval). Beyond, each row is the sum of samples drawn
at random, as many in each, and rows are resampled: such sums are as independent of each other as
samples are, so that their spread says the same.
"""

from functools import lru_cache

import numpy as np

from edgenn.drift.metrics.metric import Sums, Task
from edgenn.runtime.tensor_info import Array

GROUPS = 512
"""The spread of so many rows is known to 3 % (1 / √2·GROUPS)."""
FEWEST_GROUPS = 32
REPLICATES = 1000
LEVEL = 0.95
ROOM = 1 << 21
"""Numbers that the sums of one metric may take."""


class GroupedSums:
    """Sums of statistics, in groups of samples for the bootstrap.

    The same samples in the same order give the same groups, however they come in chunks.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._seen = 0
        self._sums: Array | None = None

    def add(self, rows: Array) -> None:
        """Statistics of the next samples, ``(n, k)``."""
        if self._sums is None:
            groups = min(max(ROOM // max(rows.shape[1], 1), FEWEST_GROUPS), GROUPS)
            self._sums = np.zeros((groups, rows.shape[1]))
        while len(rows):
            turn, place = divmod(self._seen, len(self._sums))
            taken = rows[: len(self._sums) - place]
            # within a round no group comes twice, so that plain indexing adds up all of them
            self._sums[self._order(turn)[place : place + len(taken)]] += taken
            self._seen += len(taken)
            rows = rows[len(taken) :]

    def _order(self, turn: int) -> Array:
        """Which group each sample of a round goes to: at random, for data that are sorted."""
        groups = 0 if self._sums is None else len(self._sums)
        if turn == 0:
            return np.arange(groups)
        return np.random.default_rng((self._seed, turn)).permutation(groups)

    @property
    def rows(self) -> Array:
        """Sums of the groups that hold samples, ``(groups, k)``."""
        return np.zeros((0, 0)) if self._sums is None else self._sums[: self._seen]

    @property
    def total(self) -> Sums:
        """``(k,)``."""
        total: Array = self.rows.sum(0)
        return total


def paired_interval(
    task: Task, reference: GroupedSums, actual: GroupedSums, seed: int
) -> tuple[float, float] | None:
    """95 % interval of (actual − reference) of a metric; ``None`` where it cannot be said.

    Both are resampled alike: what a sample does to both of them drops out of the difference.
    """
    return percentile_interval(replicates(task, actual, seed) - replicates(task, reference, seed))


def replicates(task: Task, sums: GroupedSums, seed: int) -> Array:
    """A metric of each resample, ``(REPLICATES,)``; none of fewer than two samples."""
    rows = sums.rows
    if len(rows) < 2:
        return np.zeros(0)
    weights = resamples(len(rows), REPLICATES, seed)
    step = max(1, ROOM // max(rows.shape[1], 1))  # resamples at once: bounded memory
    parts = (weights[start : start + step] @ rows for start in range(0, len(weights), step))
    return np.concatenate([task.value(part) for part in parts])


def percentile_interval(differences: Array) -> tuple[float, float] | None:
    """The middle ``LEVEL`` of the replicates; ``None`` where most have no value."""
    finite = differences[np.isfinite(differences)]
    if not len(finite) or len(finite) < len(differences) / 2:
        return None
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


@lru_cache(maxsize=4)
def resamples(size: int, count: int, seed: int) -> Array:
    """How often each of ``size`` rows is drawn in each of the replicates, ``(count, size)``."""
    drawn = np.random.default_rng((seed, size)).integers(size, size=(count, size))
    keys = drawn + size * np.arange(count)[:, None]
    counts = np.bincount(keys.ravel(), minlength=count * size)
    return counts.reshape(count, size).astype(np.float64)
