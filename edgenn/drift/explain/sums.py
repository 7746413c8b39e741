"""Streaming sums over samples: of a shared tensor's errors, and of an op's arithmetic error.

All of them are kept channel by channel (last axis), so that one wrong channel shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.tensor import INTEGER_RANGES, Array, Quantization, Tensor

Sum = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """The real numbers that a tensor can hold.

    Attributes:
        quantization: ``None`` for float tensors, which hold all.
    """

    quantization: Quantization | None
    dtype: str

    @classmethod
    def of(cls, tensor: Tensor) -> "Grid":
        return cls(tensor.quantization, tensor.dtype)

    @property
    def is_integer(self) -> bool:
        return self.quantization is not None

    @property
    def step(self) -> float:
        return 0.0 if self.quantization is None else float(self.quantization.scale[0])

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest number."""
        if self.quantization is None:
            return -np.inf, np.inf
        low, high = (
            (limit - int(self.quantization.zero_point[0])) * self.step
            for limit in INTEGER_RANGES[self.dtype]
        )
        return low, high

    def real(self, stored: Array) -> Array:
        """Stored values as float32; indices and conditions as they are."""
        if self.quantization is None:
            return stored.astype(np.float32) if stored.dtype == np.float16 else stored
        offset = np.float32(self.quantization.zero_point[0])
        values: Array = stored.astype(np.float32)
        values -= offset
        values *= np.float32(self.step)
        return values

    def rounded(self, real: Array) -> Array:
        """The nearest numbers of the grid."""
        if self.quantization is None:
            return real
        low, high = self.limits
        values = real * np.float32(1 / self.step)
        np.rint(values, out=values)
        values *= np.float32(self.step)
        return np.clip(values, np.float32(low), np.float32(high), out=values)

    def stored(self, real: Array) -> Array:
        """Real numbers as the tensor stores them."""
        return real if self.quantization is None else self.quantization.quantize(real, self.dtype)

    def saturated(self, stored: Array, exact: Array) -> Array:
        """Where a stored value is at an end of its dtype, as the exact one says it should be."""
        low, high = INTEGER_RANGES[self.dtype]
        least, greatest = self.limits
        half = self.step / 2
        below = (stored == low) & (exact <= np.float32(least + half))
        return np.asarray(below | ((stored == high) & (exact >= np.float32(greatest - half))))


def rows(values: Array) -> Array:
    """Values as ``(n, channels)``."""
    return values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values.reshape(-1, 1)


def column_sums(values: Array) -> Sum:
    """Sums of each channel; as a matrix product, which is fast for few channels, too."""
    ones = np.ones(len(values), np.float32)
    return np.asarray(ones @ values, np.float64)


BINS: Final = 256


def histogram(stored: Array) -> Sum:
    """How often each integer occurs; 16-bit ones in groups."""
    low, high = INTEGER_RANGES[stored.dtype.name]
    width = (high - low + 1) // BINS
    bins = (stored.astype(np.int32) - low) // width
    return np.bincount(bins.reshape(-1), minlength=BINS).astype(np.float64)


class Sums:
    """Named sums of one channel each, and named extremes."""

    FIELDS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        self.count = 0
        self.sums: dict[str, Sum] = {}
        self.low = np.inf
        self.high = -np.inf
        if state is not None:
            self.count, self.low, self.high = state["count"], state["low"], state["high"]

    def __getitem__(self, field: str) -> Sum:
        return self.sums.get(field, np.zeros(1))

    def add(self, field: str, values: Array) -> None:
        """Adds ``(n, channels)``."""
        self.sums[field] = self[field] + column_sums(values)

    def state(self) -> dict[str, Any]:
        """What is not an array, for JSON."""
        return {"count": self.count, "low": float(self.low), "high": float(self.high)}

    def arrays(self) -> Iterator[tuple[str, Array]]:
        yield from self.sums.items()


class TensorSums(Sums):
    """Errors of a shared tensor.

    Fields:
        ``own``, ``own²``: the artifact against the forced run, where the grid holds that.
        ``twin²``: the rounded twin against the forced run, likewise.
        ``introduced²``, ``carried²``: own and inherited error of the whole layer, all values.
        ``inherited²``: forced against free. ``total²``: the artifact against free.
        ``free²``, ``forced²``: of the values themselves.
        ``beyond``: how many values of the free run the grid cannot hold: what an earlier layer
        does to them is not this layer's. ``low`` and ``high`` are those of the free run, too.
        ``histogram``: of the stored integers, in as many bins as int8 has values; ``lowest``,
        ``highest``: how many are at the ends of their range.
    """

    def update(
        self,
        stored: Array,
        free: Array,
        forced: Array,
        layered: Array | None,
        twin: Array,
        grid: Grid,
    ) -> None:
        """Adds a batch.

        Args:
            layered: ``None`` where it is the same as ``forced``.
        """
        actual, free, forced = rows(grid.real(stored)), rows(free), rows(forced)
        rounded = rows(grid.rounded(twin))
        self.count += len(actual)
        if grid.is_integer:
            least, greatest = INTEGER_RANGES[grid.dtype]
            self.sums["histogram"] = self["histogram"] + histogram(stored)
            self.sums["lowest"] = self["lowest"] + np.count_nonzero(stored == least)
            self.sums["highest"] = self["highest"] + np.count_nonzero(stored == greatest)
        error = actual - forced
        own, twins = error, rounded - forced
        low, high = grid.limits
        outside = (forced < low - grid.step / 2) | (forced > high + grid.step / 2)
        if outside.any():
            own, twins = np.where(outside, 0, own), np.where(outside, 0, twins)
        self.add("own", own)
        self.add("own²", np.square(own))
        self.add("twin²", np.square(twins))
        self.add("inherited²", np.square(forced - free))
        self.add("total²", np.square(actual - free))
        self.add("free²", np.square(free))
        self.add("forced²", np.square(forced))
        if layered is None:
            self.add("introduced²", np.square(error))
            self.sums["carried²"] = self["inherited²"]
        else:
            self.add("introduced²", np.square(actual - rows(layered)))
            self.add("carried²", np.square(rows(layered) - free))
        if free.size:
            self.low = min(self.low, float(free.min()))
            self.high = max(self.high, float(free.max()))
        if self.low < low or self.high > high:
            clipped = free - np.clip(free, np.float32(low), np.float32(high))
            self.add("beyond", (np.abs(clipped) > grid.step / 2).astype(np.float32))


class OpSums(Sums):
    """Arithmetic error of an op, in steps of its output; what saturated is left out.

    A value at an end of the integers has saturated only if the exact one rounds to that end or
    lies beyond; else it is as wrong as any other.

    Fields: ``steps``, ``steps²``, ``values`` (how many there are).
    """

    def update(self, stored: Array, plain: Array, grid: Grid) -> None:
        steps = rows(grid.real(stored)) - rows(plain)
        steps *= np.float32(1 / grid.step)
        inside = ~grid.saturated(rows(stored), rows(plain))
        steps *= inside
        self.count += len(steps)
        self.add("values", inside.astype(np.float32))
        self.add("steps", steps)
        self.add("steps²", np.square(steps))
