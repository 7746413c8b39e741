"""Integer kernels of activation functions in LiteRT, bit for bit, but for those by table.

Sources: LiteRT ``kernels/activations.cc`` and, in ``kernels/internal/reference``,
``leaky_relu.h``, ``prelu.h``, ``hard_swish.h``, ``integer_ops/logistic.h``,
``integer_ops/tanh.h``, ``integer_ops/log_softmax.h``.
"""

import numpy as np

from edgenn.ir.fixed_point import (
    INT32_MIN,
    Ints,
    count_leading_zeros,
    exp_on_negative_values,
    multiply_by_quantized_multiplier,
    one_over_one_plus_x,
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    saturating_rounding_multiply_by_pot,
    wrap_int32,
)
from edgenn.ir.operator import IntegerInput
from edgenn.ir.ops.integer_elementwise import offset, output_scale, rescaled, scale32
from edgenn.ir.sigmoid_table import SIGMOID_TABLE
from edgenn.ir.tensor import Tensor

INT16_MIN, INT16_MAX = -32768, 32767


def rescale(x: IntegerInput, output: Tensor) -> Ints:
    """Multiples of the input's scale as multiples of the output's."""
    return rescaled(offset(x), scale32(x) / output_scale(output))


def leaky_relu(x: IntegerInput, output: Tensor, alpha: float) -> Ints:
    slope = scale32(x) * np.float32(alpha) / output_scale(output)
    negative = rescaled(offset(x), abs(slope))
    return np.where(offset(x) >= 0, rescale(x, output), negative if slope >= 0 else -negative)


def prelu(x: IntegerInput, alpha: IntegerInput, output: Tensor) -> Ints:
    slope = scale32(x) * scale32(alpha) / output_scale(output)
    return np.where(offset(x) >= 0, rescale(x, output), rescaled(offset(x) * offset(alpha), slope))


# HARD_SWISH computes in 16 bits.


def multiplier_of_16_bits(real: np.float32) -> tuple[int, int]:
    """``real`` as ``multiplier * 2**(exponent - 15)``."""
    multiplier, exponent = quantize_multiplier(float(real))
    reduced = min((int(multiplier) + (1 << 15)) >> 16, INT16_MAX)
    return reduced, int(exponent)


def high_mul_16(a: Ints, b: int) -> Ints:
    """``a * b / 2**15`` of int16 values, nearest, ties away from zero."""
    product = a * b
    nudge = np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    total = product + nudge
    return np.minimum(np.where(total >= 0, total >> 15, -(-total >> 15)), INT16_MAX)


def saturating_left_shift_16(x: Ints, amount: int) -> Ints:
    shifted: Ints = np.clip(x << amount, INT16_MIN, INT16_MAX)
    return shifted


def hard_swish(x: IntegerInput, output: Tensor) -> Ints:
    """``x`` times ``(x + 3) / 6`` clamped to [0, 1), all in int16."""
    fine_scale = np.float32(1 / 128) * scale32(x)
    out_multiplier, out_exponent = multiplier_of_16_bits(fine_scale / output_scale(output))
    unit_multiplier, unit_exponent = multiplier_of_16_bits(fine_scale / np.float32(3 / 32768))

    fine = offset(x) << 7
    value = high_mul_16(fine, out_multiplier)
    unit = saturating_left_shift_16(fine, max(unit_exponent - 1, 0))
    unit = high_mul_16(unit, unit_multiplier)
    if unit_exponent > 0:
        unit = saturating_left_shift_16(unit, 1)
    else:
        unit = rounding_divide_by_pot(unit, -unit_exponent)
    unit = (unit + (1 << 15)) >> 1
    product = unit * value
    truncated = np.where(product >= 0, product >> 15, -(-product >> 15))
    return rounding_divide_by_pot(truncated, -out_exponent)


# LOGISTIC and TANH in int16 share one table: tanh(x) = 2 sigmoid(2 x) - 1.


def table_position(x: IntegerInput) -> Ints:
    """The input in multiples of 1 / (3 * 4096)."""
    multiplier, shift = x.scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        multiplier, shift = multiplier * 2, shift + 1
    rounding = 1 << (shift - 1) if shift > 0 else 0
    return (wrap_int32(x.values.astype(np.int64) * int(multiplier)) + rounding) >> shift


def sigmoid_between(position: Ints, bits: int, saturated: int) -> Ints:
    """The table at ``position``, interpolated over the last ``bits`` bits."""
    index = position >> bits
    lower = np.minimum(index, 254)
    below, above = SIGMOID_TABLE[lower], SIGMOID_TABLE[lower + 1]
    between = (below << bits) + (position & ((1 << bits) - 1)) * (above - below)
    return np.where(index >= 255, saturated, between)


def logistic_int16(x: IntegerInput) -> Ints:
    """In multiples of 2**-15."""
    position = table_position(x)
    result = sigmoid_between(np.abs(position), 9, 0x7FFF << 10)
    result = np.where(position >= 0, result + (1 << 9), (1 << (16 + 9)) - result + (1 << 9) - 1)
    return result >> 10


def tanh_int16(x: IntegerInput) -> Ints:
    """In multiples of 2**-15."""
    position = table_position(x)
    result = sigmoid_between(np.abs(position), 8, 0xFFFF << 8)
    one = 1 << (14 + 9)
    result = np.where(position >= 0, result - one + (1 << 7), -result + one + (1 << 7) - 1)
    return result >> 8


# LOG_SOFTMAX in int8.

DIFFERENCE_BITS = 5
"""Differences to the maximum are Q5.26."""
SUM_BITS = 12
OUTPUT_FRACTION_BITS = 4
"""Outputs are multiples of 1/16."""


def log_softmax(x: IntegerInput) -> Ints:
    """Over the last axis, in multiples of 1/16."""
    real = min(x.scale * (1 << (31 - DIFFERENCE_BITS)), 2.0**31 - 1)
    multiplier, shift = quantize_multiplier(real)
    radius = ((1 << DIFFERENCE_BITS) - 1) * 2.0 ** (31 - DIFFERENCE_BITS - int(shift))

    values = x.values.astype(np.int64)
    differences = values - values.max(axis=-1, keepdims=True)
    # what lies farther below the maximum adds nothing to the sum and has the lowest output
    near = differences >= -np.floor(radius)
    fixed = multiply_by_quantized_multiplier(np.where(near, differences, 0), multiplier, shift)
    exponentials = rounding_divide_by_pot(exp_on_negative_values(fixed, DIFFERENCE_BITS), SUM_BITS)
    total = np.where(near, exponentials, 0).sum(axis=-1, keepdims=True)
    difference = fixed - log_of_at_least_one(total, SUM_BITS, DIFFERENCE_BITS)
    steps = rounding_divide_by_pot(difference, 31 - DIFFERENCE_BITS - OUTPUT_FRACTION_BITS)
    return np.where(near, steps, INT32_MIN)


def log_of_at_least_one(x: Ints, input_bits: int, output_bits: int) -> Ints:
    """Natural logarithm of Q``input_bits`` numbers >= 1, in Q``output_bits``.

    ``log_x_for_x_greater_than_or_equal_to_1`` of LiteRT: a power of two is split off, what
    remains goes through a rational approximation around 2**-1/4.
    """
    mul = saturating_rounding_doubling_high_mul
    pot = saturating_rounding_multiply_by_pot
    log_2, root_of_root_of_half, root_of_half = 1488522236, 1805811301, 1518500250
    alpha_n, alpha_d, alpha_i, alpha_f = 117049297, 127690142, 1057819769, 638450708
    accumulator_bits = output_bits + 1
    quarter = 1 << (31 - accumulator_bits - 2)

    headroom_a = count_leading_zeros(x)
    r_a = pot(mul(x << (headroom_a - 1), root_of_half), 1)
    power_a = ((input_bits - headroom_a) << (31 - accumulator_bits)) + quarter
    headroom_b = count_leading_zeros(mul(x, root_of_half)) - 1
    r_b = x << headroom_b
    power_b = ((input_bits - headroom_b) << (31 - accumulator_bits)) - quarter
    r, power = np.minimum(r_a, r_b), np.maximum(power_a, power_b)

    p = rounding_half_sum(r, root_of_root_of_half)
    q = 2 * (r - root_of_root_of_half)
    square = mul(q, q)
    numerator = mul(q, r) + mul(mul(q, square), alpha_n)
    denominator_less_one = mul(p, alpha_i + q + mul(square, alpha_d)) + mul(q, alpha_f)
    quotient = mul(
        rounding_divide_by_pot(numerator, accumulator_bits),
        one_over_one_plus_x(denominator_less_one),
    )
    return pot(mul(power, log_2) + quotient, accumulator_bits - output_bits)


def rounding_half_sum(a: Ints, b: int) -> Ints:
    """``(a + b) / 2``, ties away from zero."""
    total = a + b
    rounded = total + np.where(total >= 0, 1, -1)
    return np.where(rounded >= 0, rounded >> 1, -(-rounded >> 1))
