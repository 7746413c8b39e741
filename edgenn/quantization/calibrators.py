"""From what was seen of a tensor to the range its integers cover: one function per method."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from edgenn.quantization.parameters import Range
from edgenn.quantization.statistics import Statistics

PERCENTILE: Final = 99.99
MSE_CANDIDATES: Final = 80
MSE_SMALLEST_SHARE: Final = 0.4


@dataclass(frozen=True)
class Calibrator:
    """A way to choose ranges.

    Attributes:
        name: What ``--calibrator`` takes.
        needs_histogram: Whether extremes alone do not suffice.
        choose: ``(statistics, integer steps) → range``.
    """

    name: str
    needs_histogram: bool
    choose: Callable[[Statistics, int], Range]


def minmax(statistics: Statistics, steps: int) -> Range:
    """Everything that was seen."""
    return statistics.range


def percentile(statistics: Statistics, steps: int) -> Range:
    """All but the outermost 0.01 % of the values on either side."""
    total = statistics.counts.sum()
    if total == 0:
        return statistics.range
    cumulated = np.cumsum(statistics.counts)
    cut = total * (1 - PERCENTILE / 100)
    centers = statistics.centers
    low = centers[np.searchsorted(cumulated, cut, side="right")]
    high = centers[np.searchsorted(cumulated, total - cut, side="left")]
    low, high = np.clip([low, high], statistics.low, statistics.high)
    return Range(float(low), float(high))


def mean_squared_error(statistics: Statistics, steps: int) -> Range:
    """The share of the seen range whose rounding and clipping errors are least in sum.

    Both ends shrink by the same share; an end at 0 stays there.
    """
    used = np.flatnonzero(statistics.counts)
    if used.size == 0:
        return statistics.range
    values, weights = statistics.centers[used], statistics.counts[used].astype(np.float64)
    whole = statistics.range
    best, least = whole, np.inf
    for share in np.linspace(1.0, MSE_SMALLEST_SHARE, MSE_CANDIDATES):
        low, high = min(whole.low * share, 0.0), max(whole.high * share, 0.0)
        scale = max((high - low) / steps, 1e-12)
        rounding = scale**2 / 12
        clipped = values - np.clip(values, low, high)
        error = float((weights * np.where(clipped == 0, rounding, clipped**2)).sum())
        if error < least:
            best, least = Range(low, high), error
    return best


CALIBRATORS: dict[str, Calibrator] = {
    calibrator.name: calibrator
    for calibrator in (
        Calibrator("minmax", False, minmax),
        Calibrator("percentile", True, percentile),
        Calibrator("mse", True, mean_squared_error),
    )
}
DEFAULT_CALIBRATOR: Final = "minmax"
"""With bias correction and equalisation it drifts least on the real models, and it needs no
histogram: see `tools/bench/calibrators.py`."""
