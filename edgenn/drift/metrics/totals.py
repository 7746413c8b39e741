"""What is kept of one metric while samples go by."""

from typing import Protocol

import numpy as np

from edgenn.drift.metrics.bootstrap import GroupedSums, paired_interval
from edgenn.drift.metrics.labels import Judged
from edgenn.drift.metrics.metric import Drift, Pair, Ranked, Sums, Task, Value
from edgenn.drift.metrics.ranks import KeptSamples, ScoreCounts, ranked_interval


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
    """Of a task metric, both for the reference and for the artifact."""

    def add(self, reference: Judged, actual: Judged) -> None: ...
    def reference_value(self) -> Value: ...
    def value(self) -> Value: ...
    def interval(self) -> tuple[float, float] | None: ...


class SumTotals:
    """Of a metric whose samples are added up."""

    def __init__(self, rule: Task, seed: int) -> None:
        self._rule = rule
        self._seed = seed
        self._reference, self._actual = GroupedSums(seed), GroupedSums(seed)

    def add(self, reference: Judged, actual: Judged) -> None:
        self._reference.add(self._rule.statistics(reference))
        self._actual.add(self._rule.statistics(actual))

    def reference_value(self) -> Value:
        return self._value(self._reference)

    def value(self) -> Value:
        return self._value(self._actual)

    def _value(self, sums: GroupedSums) -> Value:
        return known(self._rule.value(sums.total), bool(np.isnan(sums.total).any()))

    def interval(self) -> tuple[float, float] | None:
        return paired_interval(self._rule, self._reference, self._actual, self._seed)


class RankTotals:
    """Of a metric of ranks."""

    def __init__(self, rule: Ranked, seed: int) -> None:
        self._rule = rule
        self._seed = seed
        self._reference = ScoreCounts(), KeptSamples(seed)
        self._actual = ScoreCounts(), KeptSamples(seed)

    def add(self, reference: Judged, actual: Judged) -> None:
        for judged, (counts, kept) in ((reference, self._reference), (actual, self._actual)):
            claims = self._rule.claims(judged)
            counts.add(claims)
            kept.add(claims, len(judged))

    def reference_value(self) -> Value:
        return self._reference[0].value(self._rule)

    def value(self) -> Value:
        return self._actual[0].value(self._rule)

    def interval(self) -> tuple[float, float] | None:
        value, reference = self.value(), self.reference_value()
        if value is None or reference is None:
            return None
        kept = self._reference[1], self._actual[1]
        return ranked_interval(self._rule, *kept, value - reference, self._seed)


def known(value: Sums, broken: bool) -> Value:
    """A number; ``None`` where there is none although the statistics are numbers."""
    number = float(value)
    return None if np.isnan(number) and not broken else number
