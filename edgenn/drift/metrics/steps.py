"""By how many integer steps quantised outputs differ."""

import numpy as np

from edgenn.runtime.tensor_info import Array

FARTHEST = 255
"""The largest difference that 8-bit integers can have."""


class StepHistogram:
    """How often outputs differ by how many steps of their scale, in bounded memory.

    Args:
        scale: Of the output: ``real = scale · (integer − zero point)``. Both outputs lie on its
            grid, as those of two engines that run the same file do; others are rounded to it.

    Attributes:
        counts: Of the differences −255 … 255; both ends hold what lies farther as well.
        broken: Elements that are no number in either output.
    """

    def __init__(self, scale: float) -> None:
        if not scale > 0 or not np.isfinite(scale):
            raise ValueError(f"a scale of {scale} has no steps")
        self._scale = scale
        self.counts: Array = np.zeros(2 * FARTHEST + 1, np.int64)
        self.broken = 0

    def update(self, reference: Array, actual: Array) -> None:
        """Takes the next samples, of one shape."""
        with np.errstate(all="ignore"):
            wide = np.asarray(actual, np.float64) - np.asarray(reference, np.float64)
            steps = np.rint(wide / self._scale)
        known = steps[~np.isnan(steps)]
        places = np.clip(known, -FARTHEST, FARTHEST).astype(np.int64) + FARTHEST
        self.counts += np.bincount(places, minlength=len(self.counts))
        self.broken += steps.size - known.size

    @property
    def steps(self) -> Array:
        """What each of the ``counts`` is of."""
        return np.arange(-FARTHEST, FARTHEST + 1)

    @property
    def span(self) -> tuple[int, int]:
        """The smallest and the largest difference that occurs; ``(0, 0)`` without samples."""
        present = self.steps[self.counts > 0]
        return (int(present[0]), int(present[-1])) if len(present) else (0, 0)

    def share_within(self, steps: int) -> float | None:
        """Share of the elements that differ by at most so many steps; ``None`` without any."""
        total = int(self.counts.sum()) + self.broken
        if not total:
            return None
        return float(self.counts[np.abs(self.steps) <= steps].sum()) / total
