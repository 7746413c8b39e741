"""Element-wise integer kernels of LiteRT, bit for bit.

Scales are combined in float32 where the kernel does so and in float64 where it does that: the
last bit of a multiplier depends on it. Sources: LiteRT ``kernels/add.cc``, ``sub.cc``,
``mul.cc``, ``squared_difference.cc``, ``comparisons.cc``, ``elementwise.cc`` and the
functions of ``kernels/internal/reference`` that they call.
"""

from collections.abc import Callable

import numpy as np

from edgenn.errors import UsageError
from edgenn.ir.fixed_point import (
    Ints,
    count_leading_zeros,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    saturating_rounding_multiply_by_pot,
)
from edgenn.ir.operator import IntegerInput
from edgenn.ir.tensor import INTEGER_RANGES, Array, Tensor


def offset(x: IntegerInput) -> Ints:
    """Stored values less the zero point: multiples of the scale."""
    return x.values.astype(np.int64) - x.zero_point


def scale32(x: IntegerInput) -> np.float32:
    return np.float32(x.scale)


def output_scale(output: Tensor) -> np.float32:
    assert output.quantization is not None
    scale: np.float32 = output.quantization.scale[0]
    return scale


def rescaled(steps: Ints, real: float | np.floating) -> Ints:
    """``steps * real`` in fixed point; ``real`` >= 0."""
    return multiply_by_quantized_multiplier(steps, *quantize_multiplier(float(real)))


def clamped(steps: Ints, output: Tensor) -> Array:
    """Multiples of the output scale as stored integers, saturated."""
    assert output.quantization is not None
    low, high = INTEGER_RANGES[output.dtype]
    shifted = steps + int(output.quantization.zero_point[0])
    result: Array = np.clip(shifted, low, high).astype(output.dtype)
    return result


def on_common_scale(a: IntegerInput, b: IntegerInput, left_shift: int) -> tuple[Ints, Ints, float]:
    """Both operands in multiples of one scale: twice the larger one over ``2**left_shift``."""
    twice_max = 2 * max(a.scale, b.scale)
    shifted_a, shifted_b = offset(a) << left_shift, offset(b) << left_shift
    return (
        rescaled(shifted_a, a.scale / twice_max),
        rescaled(shifted_b, b.scale / twice_max),
        (twice_max / (1 << left_shift)),
    )


def sum_shift(output: Tensor) -> int:
    """Bits of headroom of ADD and SUB: the sum of two shifted operands fits in an int32."""
    return 15 if output.dtype == "int16" else 20


def add(a: IntegerInput, b: IntegerInput, output: Tensor) -> Ints:
    x, y, scale = on_common_scale(a, b, sum_shift(output))
    return rescaled(x + y, scale / float(output_scale(output)))


def subtract(a: IntegerInput, b: IntegerInput, output: Tensor) -> Ints:
    x, y, scale = on_common_scale(a, b, sum_shift(output))
    return rescaled(x - y, scale / float(output_scale(output)))


def multiply(a: IntegerInput, b: IntegerInput, output: Tensor) -> Ints:
    return rescaled(offset(a) * offset(b), scale32(a) * scale32(b) / output_scale(output))


def squared_difference(a: IntegerInput, b: IntegerInput, output: Tensor) -> Ints:
    x, y, scale = on_common_scale(a, b, 7)
    return rescaled((x - y) ** 2, scale * scale / float(output_scale(output)))


COMPARISON_SHIFT = 8


def comparable(x: IntegerInput) -> Ints:
    """The operand of a comparison as fixed-point real numbers."""
    return rescaled(offset(x) << COMPARISON_SHIFT, x.scale)


def absolute(x: IntegerInput, output: Tensor) -> Ints:
    magnitude = np.abs(offset(x))
    if scale32(x) == output_scale(output):
        return magnitude
    return rescaled(magnitude, scale32(x) / output_scale(output))


def require_not_negative(x: IntegerInput, output: Tensor, function: str) -> None:
    """Refuses values for which the kernel has no result.

    Raises:
        UsageError: A stored value stands for a negative number; LiteRT stops there, too.
    """
    if np.any(offset(x) < 0):
        raise UsageError(
            f"{output.name}: {function} of a negative number",
            hint="calibrate with data whose values here are not negative, or keep the op in float",
        )


def square_root(x: IntegerInput, output: Tensor) -> Ints:
    """Truncated, not rounded, as the kernel does."""
    require_not_negative(x, output, "square root")
    real = scale32(x) * offset(x).astype(np.float32)
    steps: Ints = (np.sqrt(real) / output_scale(output)).astype(np.int64)
    return steps


INVERSE_ROOT_SHIFT = 20


def inverse_square_root(x: IntegerInput, output: Tensor) -> Ints:
    """int8; zero gives the largest output."""
    require_not_negative(x, output, "inverse square root")
    multiplier, shift = inverse_root_multiplier(offset(x))
    one = np.ones_like(multiplier)
    data = multiply_by_quantized_multiplier(one, multiplier, shift + INVERSE_ROOT_SHIFT)
    real = 1.0 / float(np.sqrt(scale32(x)) * output_scale(output))
    out_multiplier, out_shift = quantize_multiplier(real)
    steps = multiply_by_quantized_multiplier(data, out_multiplier, out_shift - INVERSE_ROOT_SHIFT)
    return np.where(offset(x) == 0, INTEGER_RANGES["int32"][1], steps)


def inverse_root_multiplier(x: Ints) -> tuple[Ints, Ints]:
    """``(multiplier, shift)`` of ``1 / sqrt(x)`` for 1 <= x < 2**29, by five Newton steps.

    ``GetInvSqrtQuantizedMultiplierExp`` of LiteRT.
    """
    mul = saturating_rounding_doubling_high_mul
    pairs = (count_leading_zeros(np.maximum(x, 2)) - 1) // 2 - 1
    value = (np.maximum(x, 2) << (2 * pairs)) >> 1  # Q3.28
    half_value = rounding_divide_by_pot(value, 1)
    three_halves = (1 << 28) + (1 << 27)
    root = np.full_like(x, 1 << 28)
    for _ in range(5):
        # products of Q3 numbers are Q6 and Q9
        cube = saturating_rounding_multiply_by_pot(mul(mul(root, root), root), 6)
        step = mul(np.full_like(x, three_halves), root) - mul(half_value, cube)
        root = saturating_rounding_multiply_by_pot(step, 3)
    root = mul(root, 1518500250)  # sqrt(2) / 2
    right_shift = 11 - pairs
    root = np.where(right_shift < 0, root << np.maximum(-right_shift, 0), root)
    shift = -np.maximum(right_shift, 0)
    return np.where(x <= 1, INTEGER_RANGES["int32"][1], root), np.where(x <= 1, 0, shift)


BinaryKernel = Callable[[IntegerInput, IntegerInput, Tensor], Ints]
UnaryKernel = Callable[[IntegerInput, Tensor], Ints]


def by_stored_value(x: IntegerInput, output: Tensor, kernel: UnaryKernel) -> Array:
    """A kernel of one operand: computed once a stored value where that is less work."""
    low, high = INTEGER_RANGES[x.values.dtype.name]
    if x.values.size <= high - low + 1:
        return clamped(kernel(x, output), output)
    present, index = np.unique(x.values, return_inverse=True)
    results = clamped(kernel(IntegerInput(present, x.quantization), output), output)
    return results[index].reshape(x.values.shape)
