"""Integer kernels of reductions in LiteRT, bit for bit.

Sources: LiteRT ``kernels/reduce.cc``, ``kernels/internal/reference/reduce.h`` and, for SUM,
``kernels/internal/optimized/reduce.h``: the reference kernel of SUM reads int8 and int16 as uint8
(LiteRT 2.3), so that its results are not those of any device.
"""

import math

import numpy as np

from edgenn.ir.fixed_point import (
    Ints,
    multiply_by_quantized_multiplier,
    multiply_by_reduced_multiplier,
    quantize_multiplier,
    round_half_away,
    wrap_int32,
)
from edgenn.ir.operator import IntegerInput
from edgenn.ir.ops.integer_elementwise import clamped, offset, output_scale, scale32
from edgenn.ir.tensor import Array, Tensor

Axes = tuple[int, ...]


def gathered(values: Ints, axes: Axes) -> Ints:
    """The values that fall together along a new last axis, in the kernel's order."""
    kept = [axis for axis in range(values.ndim) if axis not in axes]
    reduced = sorted(axes)
    count = math.prod(values.shape[axis] for axis in reduced)
    moved = values.transpose([*kept, *reduced])
    return moved.reshape([*(values.shape[axis] for axis in kept), count])


def mean(x: IntegerInput, output: Tensor, axes: Axes) -> Array:
    """The division by the count is part of the multiplier."""
    values = gathered(offset(x), axes)
    count = values.shape[-1]
    multiplier, shift = quantize_multiplier(x.scale / float(output_scale(output)))
    extra = min(count.bit_length() - 1, 32, 31 + int(shift))
    divided = (int(multiplier) << extra) // count
    sums = wrap_int32(values.sum(axis=-1))
    return clamped(multiply_by_quantized_multiplier(sums, divided, shift - extra), output)


def total(x: IntegerInput, output: Tensor, axes: Axes) -> Array:
    """In float32, as the optimised kernel computes it."""
    values = gathered(x.values.astype(np.int64), axes)
    scale = scale32(x) / output_scale(output)
    bias = np.float32(-x.zero_point) * scale * np.float32(values.shape[-1])
    sums = wrap_int32(values.sum(axis=-1)).astype(np.float32)
    return clamped(round_half_away(sums * scale + bias).astype(np.int64), output)


def product(x: IntegerInput, output: Tensor, axes: Axes) -> Array:
    """Every factor is rescaled by the n-th root of the output scale, so that nothing overflows."""
    values = gathered(offset(x), axes)
    count = values.shape[-1]
    real = x.scale / math.pow(float(output_scale(output)), 1.0 / count)
    multiplier, shift = quantize_multiplier(real)
    result = values[..., 0]
    for index in range(1, count):
        result = multiply_by_reduced_multiplier(result * values[..., index], multiplier, shift)
    return clamped(multiply_by_reduced_multiplier(result, multiplier, shift), output)
