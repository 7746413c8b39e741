"""What calibration remembers of a tensor, in memory that does not grow with the data."""

from collections.abc import Mapping
from dataclasses import asdict
from math import gcd
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.tensor import Array
from edgenn.quantization.outside import Outside
from edgenn.quantization.parameters import Range

BINS: Final = 4096
VALUES_PER_SAMPLE: Final = 1 << 13
"""About how many values of a tensor enter the histogram for each calibration sample."""

PRODUCT_ROWS: Final = 1 << 12
"""About how many rows of a batch enter the products of channels."""

KEPT_VALUES: Final = 1 << 16
"""Values in the rows that are kept of a tensor."""


class Statistics:
    """Exact extremes, and on request a histogram and the channels' means and magnitudes.

    The histogram spans ``[-limit, limit]``; when a value lies outside, ``limit`` doubles and
    neighbouring bins merge, so that no value is ever binned twice or lost.

    Args:
        histogram: Whether to count values.
        means: Whether to keep the mean of each channel (last axis).
        magnitudes: Whether to keep the largest magnitude and the mean square of each channel.
        keep_rows: Whether to keep some rows (vectors along the last axis) as they are.
        products: Whether to sum up the products of all pairs of channels, in two halves of the
            data: what one half tells can be tried on the other.
        bounds: Limits; what lies outside of them is counted.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = (
        "counts",
        "totals",
        "magnitudes",
        "squares",
        "kept_rows",
        "products",
        "product_rows",
    )
    """What does not fit into plain numbers, for those who send statistics elsewhere."""

    def __init__(
        self,
        *,
        histogram: bool = False,
        means: bool = False,
        magnitudes: bool = False,
        keep_rows: bool = False,
        products: bool = False,
        bounds: tuple[float, float] | None = None,
    ) -> None:
        self.low = np.inf
        self.high = -np.inf
        self.limit = 0.0
        self.counts: NDArray[np.int64] = np.zeros(BINS if histogram else 0, np.int64)
        self.rows = 0
        self.totals: NDArray[np.float64] = np.zeros(1 if means else 0)
        self.magnitudes: NDArray[np.float64] = np.zeros(1 if magnitudes else 0)
        self.squares: NDArray[np.float64] = np.zeros(1 if magnitudes else 0)
        self.products: NDArray[np.float64] = np.zeros((2, 1, 1) if products else (0, 0, 0))
        self.product_rows: NDArray[np.int64] = np.zeros(2, np.int64)
        self._longer_half = 0
        self.keeps_rows = keep_rows
        self.kept_rows: Array = np.zeros((0, 0), np.float32)
        self._row_stride = 1
        self._row_offset = 0
        self.outside = None if bounds is None else Outside(*bounds)

    def state(self) -> dict[str, Any]:
        """The plain numbers; with ``ARRAYS`` it is all there is."""
        return {
            "low": self.low,
            "high": self.high,
            "limit": self.limit,
            "rows": self.rows,
            "outside": None if self.outside is None else asdict(self.outside),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """What ``state`` and the arrays were taken from."""
        statistics = cls()
        vars(statistics).update(state)
        vars(statistics).update(arrays)
        if state["outside"] is not None:
            statistics.outside = Outside(**state["outside"])
        return statistics

    @property
    def range(self) -> Range:
        return Range(self.low, self.high)

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean of each channel."""
        return self.totals / max(self.rows, 1)

    @property
    def mean_squares(self) -> NDArray[np.float64]:
        """Mean of the squares of each channel."""
        return self.squares / max(self.rows, 1)

    @property
    def mean_products(self) -> NDArray[np.float64]:
        """Mean of ``xᵀx`` over the rows x, ``(channels, channels)``."""
        return np.asarray(self.products.sum(axis=0) / max(self.product_rows.sum(), 1))

    @property
    def half_products(self) -> NDArray[np.float64]:
        """The same in each half of the data, ``(2, channels, channels)``; zeros without rows."""
        return self.products / np.maximum(self.product_rows, 1)[:, None, None]

    @property
    def centers(self) -> NDArray[np.float64]:
        """The middle of each bin."""
        width = 2 * self.limit / BINS
        return np.asarray(width * (np.arange(BINS) + 0.5) - self.limit, np.float64)

    def update(self, values: Array) -> None:
        """Takes in one batch of values."""
        if values.size == 0:
            return
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))
        if self.counts.size:
            self._count(sampled(values))
        if self.totals.size or self.magnitudes.size:
            self._add_rows(values.reshape(-1, values.shape[-1]))
        if self.products.size:
            self._add_products(values.reshape(-1, values.shape[-1]))
        if self.keeps_rows:
            self._keep_rows(values.reshape(-1, values.shape[-1]))
        if self.outside is not None:
            self.outside.update(values)

    def _add_products(self, rows: Array) -> None:
        """Of some rows, if there are many: pairs of channels need no more to be known.

        Rows of one sample are alike, so that a batch is halved in its middle.
        """
        taken = rows[:: sampling_stride(len(rows), PRODUCT_ROWS)]
        self._longer_half = 1 - self._longer_half
        middle = (len(taken) + self._longer_half) // 2
        halves = taken[:middle], taken[middle:]
        self.products = self.products + np.stack([half.T @ half for half in halves])
        self.product_rows += [len(half) for half in halves]

    def _keep_rows(self, rows: Array) -> None:
        """Every n-th row of all that came, where n doubles when there are too many."""
        taken = rows[-self._row_offset % self._row_stride :: self._row_stride]
        self._row_offset += len(rows)
        known = self.kept_rows if self.kept_rows.size else taken[:0]
        self.kept_rows = np.concatenate([known, taken])
        while self.kept_rows.size > KEPT_VALUES and len(self.kept_rows) > 1:
            self.kept_rows = self.kept_rows[::2].copy()
            self._row_stride *= 2

    def _add_rows(self, rows: Array) -> None:
        """A product with ones sums rows at memory speed, unlike a reduction over axis 0."""
        self.rows += len(rows)
        ones = np.ones(len(rows), rows.dtype)
        if self.totals.size:
            self.totals = self.totals + ones @ rows
        if self.magnitudes.size:
            self.magnitudes = np.maximum(self.magnitudes, np.abs(rows).max(axis=0))
            self.squares = self.squares + ones @ np.square(rows)

    def _count(self, values: Array) -> None:
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


def sampled(values: Array) -> Array:
    """About ``VALUES_PER_SAMPLE`` values of each sample, taken at a fixed stride."""
    return values.reshape(-1)[:: sampling_stride(values.size, len(values) * VALUES_PER_SAMPLE)]


def sampling_stride(size: int, wanted: int) -> int:
    """A stride that takes about ``wanted`` of ``size`` values and no axis twice alike.

    It shares no factor with ``size``: a stride that divides the number of channels would look
    at some channels only.
    """
    stride = max(1, size // wanted)
    while gcd(stride, size) > 1:
        stride += 1
    return stride
