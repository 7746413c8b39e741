"""A recipe's own judgement of a rung, and how sure it is."""

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from edgenn.drift.metrics.metric import Value
from edgenn.errors import DataError
from edgenn.runtime.tensor_info import Array

Function = Callable[[Any, Any], float]
"""``(predictions, labels)`` → a number, higher is better."""

REPLICATES = (400, 200, 100, 50, 25)
"""Resamples: as many as the time allows; 25 to 200 are enough for a standard error (Efron &
Tibshirani 1993, section 6.4)."""
RESAMPLED_BYTES = 1 << 28
"""Of the predictions in one resample, which lies in memory even where they are mapped."""
QUANTILE = 1.959964
"""Of the standard normal distribution, 97.5 %."""


class Score:
    """The metric ``score`` of one output, read as a ``Tally`` is.

    A user's function may do anything: it is given all predictions at once, and its interval is
    bootstrapped from outside by calling it on resamples, the same ones for Keras and the rung.

    Args:
        function: The recipe's ``score``.
        reference: Keras's predictions, ``(n, ...)``; may be mapped from a file.
        actual: The rung's.
        labels: ``(n, ...)``, whatever the function takes.
        seed: Of the resamples.
        seconds: The longest that the interval may take. It says how many resamples there are, so
            that slow machines may give a somewhat different interval.
    """

    def __init__(
        self,
        function: Function,
        reference: Array,
        actual: Array,
        labels: Array,
        *,
        seed: int = 0,
        seconds: float = 10.0,
    ) -> None:
        if not len(reference) == len(actual) == len(labels):
            raise DataError(
                f"score: {len(reference)} predictions of Keras, {len(actual)} of the artifact and"
                f" {len(labels)} labels"
            )
        self._function = function
        self._reference, self._actual, self._labels = reference, actual, labels
        self._seed = seed
        self._seconds = seconds

    def values(self) -> dict[str, Value]:
        """``{"score": …}`` of the rung.

        Raises:
            DataError: The function failed or gave no number.
        """
        return {"score": self._value[0]}

    def reference_values(self) -> dict[str, Value]:
        """``{"score": …}`` of Keras.

        Raises:
            DataError: The function failed or gave no number.
        """
        return {"score": self._reference_value}

    def intervals(self) -> dict[str, tuple[float, float]]:
        """``{"score": (low, high)}`` of (rung − Keras), 95 %; empty where time is too short.

        The difference ± 1.96 standard errors, by paired bootstrap (Efron & Tibshirani 1993,
        section 13.3). Predictions too large to be copied are resampled in part, m of n, and the
        standard error is scaled by √(m/n).
        """
        return {} if self._interval is None else {"score": self._interval}

    @cached_property
    def _value(self) -> tuple[float, float]:
        """Of the rung, and the seconds that it took."""
        start = time.perf_counter()
        value = self._judge(self._actual, self._labels)
        return value, time.perf_counter() - start

    @cached_property
    def _reference_value(self) -> float:
        return self._judge(self._reference, self._labels)

    @cached_property
    def _interval(self) -> tuple[float, float] | None:
        n = len(self._labels)
        value, seconds = self._value
        difference = value - self._reference_value
        drawn = min(n, max(1, RESAMPLED_BYTES // max(1, row_bytes(self._actual))))
        replicates = fitting(2 * seconds * drawn / max(n, 1), self._seconds)
        if replicates is None or n < 2:
            return None
        generator = np.random.default_rng(self._seed)
        found = [self._resampled(generator.integers(n, size=drawn)) for _ in range(replicates)]
        if not np.isfinite([difference, *found]).all():
            return None
        error = QUANTILE * float(np.std(found, ddof=1)) * float(np.sqrt(drawn / n))
        return difference - error, difference + error

    def _resampled(self, indices: Array) -> float:
        """Difference on some samples, in their order: mapped files are read from front to back."""
        indices = np.sort(indices)
        labels = self._labels[indices]
        return self._judge(self._actual[indices], labels) - self._judge(
            self._reference[indices], labels
        )

    def _judge(self, predictions: Array, labels: Array) -> float:
        try:
            return float(self._function(predictions, labels))
        except (Exception, SystemExit) as error:
            raise DataError(
                f"the recipe's score() failed: {type(error).__name__}: {error}",
                f"it is given predictions of shape {predictions.shape} and labels of shape"
                f" {labels.shape} and has to give one number",
            ) from error


def fitting(seconds: float, limit: float) -> int | None:
    """How many resamples of so many seconds each fit into the limit."""
    return next((count for count in REPLICATES if count * seconds <= limit), None)


def row_bytes(array: Array) -> int:
    return int(np.prod(array.shape[1:])) * array.itemsize
