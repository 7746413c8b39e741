"""What is kept of one metric while samples go by."""

from typing import Protocol

import numpy as np

from edgenn.drift.metrics.bootstrap import GroupedSums, percentile_interval, replicates
from edgenn.drift.metrics.labels import Judged
from edgenn.drift.metrics.metric import Drift, Pair, Ranked, Sums, Task, Value
from edgenn.drift.metrics.ranks import KeptSamples, ScoreCounts, ranked_interval
from edgenn.runtime.tensor_info import Array


class DriftTotals:
    """Sums and maxima of a metric against the reference."""

    def __init__(self, rule: Drift) -> None:
        self._rule = rule
        self._sums: Sums = np.zeros(0)
        self._maxima: Sums = np.zeros(0)

    def add(self, pair: Pair) -> None:
        sums = self._rule.statistics(pair).sum(0)
        self._sums = self._sums + sums if self._sums.size else sums
        if self._rule.maxima is not None:
            maxima = self._rule.maxima(pair).max(0)
            self._maxima = np.maximum(self._maxima, maxima) if self._maxima.size else maxima

    def value(self) -> Value:
        broken = np.isnan(self._sums).any() or np.isnan(self._maxima).any()
        return known(self._rule.value(self._sums, self._maxima), bool(broken))


class TaskTotals(Protocol):
    """Of a task metric, of what one model says of all samples."""

    def add(self, judged: Judged) -> None: ...
    def value(self) -> Value: ...

    def replicates(self) -> Array:
        """The metric of each resample of the bootstrap; none where it cannot be said."""
        ...

    def interval(self, difference: Value, replicates: Array) -> tuple[float, float] | None:
        """95 % interval of a difference between two models, by its replicates."""
        ...


class SumTotals:
    """Of a metric whose samples are added up."""

    def __init__(self, rule: Task, seed: int) -> None:
        self._rule = rule
        self._seed = seed
        self._sums = GroupedSums(seed)

    def add(self, judged: Judged) -> None:
        self._sums.add(self._rule.statistics(judged))

    def value(self) -> Value:
        total = self._sums.total
        return known(self._rule.value(total), bool(np.isnan(total).any()))

    def replicates(self) -> Array:
        return replicates(self._rule, self._sums, self._seed)

    def interval(self, _difference: Value, replicates: Array) -> tuple[float, float] | None:
        return percentile_interval(replicates)


class RankTotals:
    """Of a metric of ranks."""

    def __init__(self, rule: Ranked, seed: int) -> None:
        self._rule = rule
        self._seed = seed
        self._counts = ScoreCounts()
        self._kept = KeptSamples(seed)

    def add(self, judged: Judged) -> None:
        claims = self._rule.claims(judged)
        self._counts.add(claims)
        self._kept.add(claims, len(judged))

    def value(self) -> Value:
        return self._counts.value(self._rule)

    def replicates(self) -> Array:
        return self._kept.replicates(self._rule, self._seed)

    def interval(self, difference: Value, replicates: Array) -> tuple[float, float] | None:
        if difference is None or not len(replicates):
            return None
        return ranked_interval(difference, replicates, self._kept.count / self._kept.seen)


def known(value: Sums, broken: bool) -> Value:
    """A number; ``None`` where there is none although the statistics are numbers."""
    number = float(value)
    return None if np.isnan(number) and not broken else number
