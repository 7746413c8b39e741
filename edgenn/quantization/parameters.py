"""Ranges of real numbers to scales and zero points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.tensor import INTEGER_RANGES, Array, Quantization, along

SMALLEST_RANGE = 1e-6
"""Activations that stay below this are dead, or the rounding errors of a difference. LiteRT's
kernels refuse scales that fit them, so that they get the scale of ``[0, 1]``."""
SMALLEST_SCALE = 1e-9
"""Below this all weights of a channel are 0; the scale only has to be positive and finite."""
WEIGHT_LIMIT = 127
"""int8 weights use [-127, 127]: TFLite's kernels rely on the symmetric range."""
BIAS_LIMIT = 2**30
"""Largest quantised bias: leaves the accumulator room for the products."""


@dataclass(frozen=True)
class Range:
    """The interval of real numbers that the integers have to cover."""

    low: float
    high: float

    def union(self, other: "Range") -> "Range":
        return Range(min(self.low, other.low), max(self.high, other.high))

    @classmethod
    def of(cls, values: Array) -> "Range":
        return cls(float(values.min()), float(values.max())) if values.size else cls(0.0, 0.0)


def activation_quantization(range_: Range, dtype: str, *, symmetric: bool) -> Quantization:
    """Per-tensor parameters whose grid holds 0 exactly, so that padding is exact.

    Asymmetric: the range is widened to hold 0, the zero point is the nearest integer (Jacob et
    al. 2018, arXiv 1712.05877, section 3). Symmetric: zero point 0.
    """
    low, high = min(range_.low, 0.0), max(range_.high, 0.0)
    if high - low < SMALLEST_RANGE:
        low, high = 0.0, 1.0
    smallest, largest = INTEGER_RANGES[dtype]
    if symmetric:
        return Quantization.per_tensor(max(-low, high) / largest, 0)
    scale = (high - low) / (largest - smallest)
    zero_point = int(np.clip(np.round(smallest - low / scale), smallest, largest))
    return Quantization.per_tensor(scale, zero_point)


def weight_scales(
    weights: Array, axis: int, bias: Array | None, input_scale: float
) -> NDArray[np.float32]:
    """Symmetric per-channel scales.

    A channel whose bias would overflow its accumulator gets a larger scale, since the bias is
    stored in steps of ``input_scale * weight scale``.
    """
    others = tuple(i for i in range(weights.ndim) if i != axis)
    scales = np.abs(weights).max(axis=others).astype(np.float64) / WEIGHT_LIMIT
    if bias is not None:
        scales = np.maximum(scales, np.abs(bias) / (input_scale * BIAS_LIMIT))
    smallest: NDArray[np.float32] = np.maximum(scales, SMALLEST_SCALE).astype(np.float32)
    return smallest


def quantize_weights(weights: Array, scales: Array, axis: int) -> NDArray[np.int8]:
    """Weights to the nearest int8 step, channel by channel."""
    steps = np.round(
        weights.astype(np.float64) / along(scales.astype(np.float64), axis, weights.ndim)
    )
    return np.clip(steps, -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)


def quantize_bias(bias: Array, scales: NDArray[np.float32], dtype: str) -> Array:
    """Bias to integers of ``scales`` (= input scale × weight scales)."""
    low, high = INTEGER_RANGES["int32"]
    steps = np.round(bias.astype(np.float64) / scales.astype(np.float64))
    return np.clip(steps, low, high).astype(dtype)
