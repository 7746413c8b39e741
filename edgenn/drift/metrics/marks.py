"""Task metrics of what one model says of samples with labels."""

from collections.abc import Iterable
from typing import Self

from edgenn.drift.metrics.labels import Judged, Layout
from edgenn.drift.metrics.metric import Metric, Ranked, Task, Value
from edgenn.drift.metrics.totals import RankTotals, SumTotals, TaskTotals
from edgenn.runtime.tensor_info import Array


class Marks:
    """Of one model. What is read is worked out once, however many others are compared with it.

    Args:
        layout: What the labels are.
        metrics: Those whose layout it is have a value.
        seed: Of the bootstrap.
    """

    def __init__(self, layout: Layout, metrics: Iterable[Metric] = (), seed: int = 0) -> None:
        self.layout = layout
        self._tasks: dict[str, TaskTotals] = {}
        for metric in metrics:
            rule = metric.rule
            if isinstance(rule, Task) and rule.applies(layout):
                self._tasks[metric.name] = SumTotals(rule, seed)
            if isinstance(rule, Ranked) and rule.applies(layout):
                self._tasks[metric.name] = RankTotals(rule, seed)
        self._values: dict[str, Value] | None = None
        self._replicates: dict[str, Array] | None = None

    def add(self, output: Array, labels: Array) -> None:
        """The next samples, ``(n, ...)`` each."""
        self._values = self._replicates = None
        if self._tasks:
            judged = Judged(output, labels, self.layout)
            for task in self._tasks.values():
                task.add(judged)

    def values(self) -> dict[str, Value]:
        """Of the metrics that have a meaning."""
        if self._values is None:
            self._values = {name: task.value() for name, task in self._tasks.items()}
        return self._values

    def replicates(self) -> dict[str, Array]:
        """The same of each resample of the bootstrap."""
        if self._replicates is None:
            self._replicates = {name: task.replicates() for name, task in self._tasks.items()}
        return self._replicates

    def intervals(self, reference: Self) -> dict[str, tuple[float, float]]:
        """95 % intervals of (this model − the reference), on the same samples."""
        found = {}
        for name, task in self._tasks.items():
            value, expected = self.values()[name], reference.values()[name]
            difference = None if value is None or expected is None else value - expected
            drawn, other = self.replicates()[name], reference.replicates()[name]
            if len(drawn) == len(other):  # else one of them claims nothing
                found[name] = task.interval(difference, drawn - other)
        return {name: interval for name, interval in found.items() if interval is not None}
