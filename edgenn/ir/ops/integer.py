"""What integer evaluation of matrix products shares: exact sums and their rescaling.

Sums run in float64 matrix products: every product of two stored integers is below 2**32 and no
sum of a layer reaches 2**53, so they are exact, and faster than NumPy's integer products.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.fixed_point import (
    activation_range,
    multiply_by_quantized_multiplier,
    multiply_by_reduced_multiplier,
    quantize_multiplier,
)
from edgenn.ir.operator import Activation, IntegerInput
from edgenn.ir.tensor import Array, Tensor

Floats = NDArray[np.float64]

BLOCK = 1 << 15
"""Accumulators rescaled at a time: their temporaries stay in a core's cache."""


def centered(x: IntegerInput) -> Floats:
    """Stored values without their zero point: ``real / scale``."""
    return x.values.astype(np.float64) - x.zero_point


def with_bias(sums: Floats, bias: Sequence[IntegerInput]) -> Floats:
    """``sums`` plus the bias, if there is one (at most one)."""
    return sums + bias[0].values if bias else sums


def accumulator_ratio(x: IntegerInput, weights: IntegerInput, output: Tensor) -> Floats:
    """Accumulator scale over output scale, one number or one a channel, as kernels compute it.

    Those of uint8, which have one scale for all channels, multiply in float32.
    """
    assert weights.quantization is not None
    assert output.quantization is not None
    scales = weights.quantization.scale
    products = np.float64(x.scale) * scales.astype(np.float64)
    if output.dtype == "uint8":
        products = (np.float32(x.scale) * scales).astype(np.float64)
    ratio: Floats = products / np.float64(output.quantization.scale[0])
    return ratio


def requantize(sums: Floats, ratio: Floats, output: Tensor, activation: Activation) -> Array:
    """Accumulators to stored integers, in the fixed-point arithmetic of the output's dtype.

    int16 outputs accumulate in 64 bits, for which LiteRT has other arithmetic.
    """
    multiply = (
        multiply_by_reduced_multiplier
        if output.dtype == "int16"
        else multiply_by_quantized_multiplier
    )
    multiplier, shift = quantize_multiplier(ratio)
    channels = max(sums.shape[-1], 1)
    rows = sums.reshape(-1, channels)
    result = np.empty(rows.shape, output.dtype)
    block = max(BLOCK // channels, 1)
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        steps = multiply(rows[part].astype(np.int64), multiplier, shift)
        result[part] = stored(steps, output, activation)
    return result.reshape(sums.shape)


def stored(steps: NDArray[np.int64], output: Tensor, activation: Activation) -> Array:
    """Multiples of the output scale as stored integers, clamped by the fused activation."""
    assert output.quantization is not None
    return clamped(steps + output.quantization.zero_point[0], output, activation)


def clamped(values: Array, output: Tensor, activation: Activation) -> Array:
    """Stored integers in the output's dtype, clamped by the fused activation."""
    assert output.quantization is not None
    low, high = activation_range(activation, output.quantization, output.dtype)
    return np.clip(values, low, high).astype(output.dtype)
