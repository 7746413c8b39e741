"""What calibration remembers of a tensor, in memory that does not grow with the data."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.tensor import Array
from edgenn.quantization.parameters import Range

BINS: Final = 4096
SAMPLED_VALUES: Final = 1 << 15
"""Values of a tensor that enter the histogram per batch, taken at a fixed stride."""


class Statistics:
    """Exact extremes and a histogram whose range grows by doubling.

    The histogram spans ``[-limit, limit]``; when a value lies outside, ``limit`` doubles and
    neighbouring bins merge, so that no value is ever binned twice or lost.
    """

    def __init__(self) -> None:
        self.low = np.inf
        self.high = -np.inf
        self.limit = 0.0
        self.counts: NDArray[np.int64] = np.zeros(BINS, np.int64)

    @property
    def range(self) -> Range:
        return Range(self.low, self.high)

    @property
    def centers(self) -> NDArray[np.float64]:
        """The middle of each bin."""
        width = 2 * self.limit / BINS
        return np.asarray(width * (np.arange(BINS) + 0.5) - self.limit, np.float64)

    def update(self, values: Array, *, histogram: bool) -> None:
        """Takes in one batch of values; the histogram costs more and is optional."""
        if values.size == 0:
            return
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))
        if histogram:
            self._count(values.reshape(-1))

    def _count(self, values: Array) -> None:
        values = values[:: max(1, values.size // SAMPLED_VALUES)]
        largest = float(np.abs(values).max())
        if self.limit == 0.0:
            # a power of two, so that the bins do not depend on the order of the batches
            self.limit = 2.0 ** np.ceil(np.log2(largest)) if largest > 0 else 1.0
        while largest > self.limit:
            self._double()
        index = ((values + self.limit) * (BINS / (2 * self.limit))).astype(np.int64)
        self.counts += np.bincount(np.clip(index, 0, BINS - 1), minlength=BINS)

    def _double(self) -> None:
        self.limit *= 2
        merged = self.counts.reshape(-1, 2).sum(axis=1)
        self.counts = np.zeros(BINS, np.int64)
        self.counts[BINS // 4 : BINS // 4 + BINS // 2] = merged
