"""What a metric is: statistics of each sample, added up over all of them, and a number of these.

The same statistics serve any size of data (sums are kept, samples are not) and the bootstrap,
which weighs samples before it adds them up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from edgenn.drift.metrics.labels import Judged, Layout
from edgenn.runtime.tensor_info import Array

Value = float | None
"""Of a metric; ``None`` where it has no meaning, NaN where outputs are no numbers."""

Sums = Array
"""``(..., k)``: totals of ``k`` statistics; axes in front are resamples."""


@dataclass(frozen=True)
class Pair:
    """A block of outputs beside the reference's: ``(n, ...)`` each, float64."""

    reference: Array
    actual: Array

    @cached_property
    def flat_reference(self) -> Array:
        return self.reference.reshape(len(self.reference), -1)

    @cached_property
    def flat_actual(self) -> Array:
        return self.actual.reshape(len(self.actual), -1)

    @cached_property
    def difference(self) -> Array:
        return self.flat_actual - self.flat_reference

    @cached_property
    def extremes(self) -> Array:
        """Of each sample: the largest difference, the reference's maximum, its negated minimum."""
        flat = self.flat_reference
        return np.stack([np.abs(self.difference).max(-1), flat.max(-1), -flat.min(-1)], -1)

    @cached_property
    def squared_error(self) -> Array:
        """Of each sample, ``(n,)``."""
        return squared_norm(self.difference)

    @cached_property
    def squared_reference(self) -> Array:
        """Of each sample, ``(n,)``."""
        return squared_norm(self.flat_reference)


def squared_norm(rows: Array) -> Array:
    squares: Array = np.einsum("ij,ij->i", rows, rows)
    return squares


@dataclass(frozen=True)
class Drift:
    """How a metric compares outputs with the reference's.

    Attributes:
        statistics: One row per sample, ``(n, k)``; rows are added up.
        maxima: One row per sample, ``(n, j)``; the largest of each column is kept.
        value: ``(sums, maxima)`` → the number; NaN where it has none.
        applies: Whether it has a meaning, by the reference's first samples.
    """

    statistics: Callable[[Pair], Array]
    value: Callable[[Sums, Sums], Any]
    maxima: Callable[[Pair], Array] | None = None
    applies: Callable[[Array], bool] = lambda _reference: True


@dataclass(frozen=True)
class Task:
    """How a metric judges outputs by labels, where samples can be added up.

    Attributes:
        statistics: One row per sample, ``(n, k)``.
        value: Sums, ``(..., k)`` → numbers, ``(...)``; NaN where there is none.
        applies: Whether it has a meaning for such outputs and labels.
    """

    statistics: Callable[[Judged], Array]
    value: Callable[[Sums], Array]
    applies: Callable[[Layout], bool]


@dataclass(frozen=True)
class Claims:
    """What outputs claim, each with a score that says how sure they are; arrays ``(claims,)``.

    Attributes:
        sample: Index of the sample.
        kind: The class that is claimed.
        score: The larger, the surer; −∞ for what should have been claimed and was not.
        right: Whether it is so.
    """

    sample: Array
    kind: Array
    score: Array
    right: Array

    def of_samples(self, samples: Array) -> "Claims":
        """Those of some samples, given in ascending order."""
        chosen = np.isin(self.sample, samples)
        columns = (self.sample, self.kind, self.score, self.right)
        return Claims(*(column[chosen] for column in columns))


@dataclass(frozen=True)
class Ranked:
    """How a metric judges the order in which scores put right and wrong claims.

    Attributes:
        claims: Of a block of samples.
        area: ``(scores (u,), right (..., u), wrong (..., u))``: of each score, in ascending
            order, how many claims were right and wrong → numbers ``(...)``; one class.
        applies: Whether it has a meaning for such outputs and labels.
    """

    claims: Callable[[Judged], Claims]
    area: Callable[[Array, Array, Array], Array]
    applies: Callable[[Layout], bool]


@dataclass(frozen=True)
class Metric:
    """One number that says how far an output has drifted, or how good it is.

    Attributes:
        name: In reports, budgets and JSON.
        title: Over its column.
        unit: Empty for plain numbers; a share in ``%`` is kept as 0 … 1.
        better: Which direction is better.
        source: Where its definition comes from.
        purpose: What it is for, in one line.
        rule: How it is computed; ``None`` where it is not a function of one output (``score``).
        in_table: Whether tables of 80 columns have room for it.
        asked: Shapes do not tell whether it has a meaning: only computed where asked for by name.
    """

    name: str
    title: str
    unit: str
    better: Literal["lower", "higher"]
    source: str
    purpose: str
    rule: Drift | Task | Ranked | None
    in_table: bool = False
    asked: bool = False

    @property
    def of_labels(self) -> bool:
        """Whether it judges by labels: a task metric."""
        return not isinstance(self.rule, Drift)
