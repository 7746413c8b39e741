"""Tensors: a name, a shape, a dtype, how it is quantised and, for constants, the data."""

from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int | None, ...]
"""Dimensions; ``None`` is a dimension that is open until run time (batch, time)."""

INTEGER_RANGES: dict[str, tuple[int, int]] = {
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (-32768, 32767),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}

FARTHEST_STEP: Final = np.float32(2**31)
"""Steps from 0 beyond which every dtype of activations has long saturated."""


def along(values: Array, axis: int, rank: int) -> Array:
    """A vector shaped so that it broadcasts along ``axis`` of a ``rank``-D array."""
    shape = [1] * rank
    shape[axis] = -1
    return values.reshape(shape)


@dataclass(frozen=True, eq=False)
class Quantization:
    """Affine quantisation: ``real = scale * (integer - zero_point)``.

    Attributes:
        scale: float32, shape ``(1,)`` or ``(channels,)``; what the files hold, to the bit.
        zero_point: int64, same shape.
        axis: The channel dimension of a per-channel tensor, ``None`` when per-tensor.
    """

    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    axis: int | None = None

    @classmethod
    def per_tensor(cls, scale: float, zero_point: int = 0) -> Self:
        return cls(np.array([scale], np.float32), np.array([zero_point], np.int64))

    @classmethod
    def per_channel(cls, scale: Array, axis: int) -> Self:
        """Symmetric: one scale a channel, all zero points 0."""
        return cls(np.asarray(scale, np.float32), np.zeros(len(scale), np.int64), axis)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Quantization)
            and self.axis == other.axis
            and np.array_equal(self.scale, other.scale)
            and np.array_equal(self.zero_point, other.zero_point)
        )

    def __hash__(self) -> int:
        return hash((self.axis, self.scale.tobytes(), self.zero_point.tobytes()))

    def _along(self, values: Array, rank: int) -> Array:
        """``values`` shaped so that they broadcast along ``axis`` of a ``rank``-D array."""
        if self.axis is None:
            return values.reshape(())
        return along(values, self.axis, rank)

    def quantize(self, real: Array, dtype: str) -> Array:
        """Nearest integers, ties away from zero as TFLite's QUANTIZE does, saturated."""
        with np.errstate(over="ignore"):  # what overflows saturates
            scaled = np.asarray(real, np.float32) / self._along(self.scale, np.ndim(real))
        scaled = np.clip(scaled, -FARTHEST_STEP, FARTHEST_STEP)
        # float32 as in the kernel: rounding in float64 would differ near ties
        rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled))
        exact = np.where(np.abs(scaled - np.trunc(scaled)) < 0.5, np.trunc(scaled), rounded)
        low, high = INTEGER_RANGES[dtype]
        shifted = exact.astype(np.float64) + self._along(self.zero_point, np.ndim(real))
        return np.clip(shifted, low, high).astype(dtype)

    def dequantize(self, integers: Array) -> NDArray[np.float32]:
        offset = integers.astype(np.int64) - self._along(self.zero_point, integers.ndim)
        real: NDArray[np.float32] = offset.astype(np.float32) * self._along(
            self.scale, integers.ndim
        )
        return real


@dataclass(frozen=True, eq=False)
class Tensor:
    """One value of a graph.

    Attributes:
        name: Unique in its graph; the path of the Keras layer that makes it.
        shape: NHWC, batch first; ``None`` where open.
        dtype: NumPy's name: ``float32``, ``float16``, ``int8``, ``int16``, ``int32``, ``bool`` …
        quantization: Set when the integers stand for real numbers.
        data: The values of a constant, in ``dtype``; ``None`` for what is computed.
    """

    name: str
    shape: Shape
    dtype: str = "float32"
    quantization: Quantization | None = None
    data: Array | None = None

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @classmethod
    def constant(cls, name: str, data: Array, quantization: Quantization | None = None) -> Self:
        data = np.asarray(data)
        return cls(name, data.shape, data.dtype.name, quantization, data)

    def with_(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def real(self) -> Array:
        """The constant's values as the numbers they stand for."""
        assert self.data is not None, f"{self.name} is not a constant"
        return self.data if self.quantization is None else self.quantization.dequantize(self.data)
