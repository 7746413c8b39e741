"""Fixed-point arithmetic of TFLite's integer kernels, vectorised over NumPy arrays.

A real multiplier is stored as ``multiplier * 2**(shift - 31)`` with an int32 ``multiplier`` in
``[2**30, 2**31)``. Everything here takes and gives int64 arrays (or what broadcasts to them) that
hold the C code's int32 values. LiteRT is built with gemmlowp's *double* rounding: a product is
rounded to 31 bits first and shifted right, rounding again, after that.

Sources: Jacob et al. 2018 (arXiv 1712.05877), section 2.2; LiteRT
``kernels/internal/common.cc`` and ``quantization_util.cc``; gemmlowp ``fixedpoint.h``.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgenn.ir.operator import Activation
from edgenn.ir.tensor import INTEGER_RANGES, Array, Quantization

Ints = NDArray[np.int64]

INT32_MIN, INT32_MAX = INTEGER_RANGES["int32"]
_HALF = np.int64(1) << 30  # 0.5 in Q0.31


def round_half_away(x: Array) -> Array:
    """C's ``round``: nearest integer, ties away from zero; keeps the float dtype."""
    whole = np.trunc(x)
    # x - whole is exact, where x + 0.5 would round up the float just below 0.5
    away: Array = np.where(np.abs(x - whole) >= 0.5, np.copysign(1, x), 0).astype(x.dtype)
    return np.asarray(whole + away)


def wrap_int32(x: Ints) -> Ints:
    """The low 32 bits as a signed number, as int32 arithmetic leaves them."""
    return x.astype(np.int32).astype(np.int64)


def quantize_multiplier(real: ArrayLike) -> tuple[Ints, Ints]:
    """``(multiplier, shift)`` of real multipliers >= 0 (``QuantizeMultiplier``).

    Compute ``real`` in float64 with the kernel's own order of operations: the result is exact to
    the last bit of the scales.
    """
    fraction, shift = np.frexp(np.asarray(real, np.float64))
    multiplier = round_half_away(fraction * 2.0**31).astype(np.int64)
    overflow = multiplier == 1 << 31
    multiplier = np.where(overflow, multiplier // 2, multiplier)
    exponent = shift.astype(np.int64) + overflow
    vanishes = exponent < -31
    return np.where(vanishes, 0, multiplier), np.where(vanishes, 0, exponent)


def saturating_rounding_doubling_high_mul(a: Array, b: ArrayLike) -> Ints:
    """``a * b / 2**31`` of int32 values, nearest, ties up; ARM's ``SQRDMULH``."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    return np.asarray(np.minimum((product + _HALF) >> 31, INT32_MAX))


def rounding_divide_by_pot(x: Array, exponent: ArrayLike) -> Ints:
    """``x / 2**exponent``, nearest, ties away from zero; ``0 <= exponent <= 31``."""
    x = np.asarray(x, np.int64)
    exponent = np.asarray(exponent, np.int64)
    half = (np.int64(1) << exponent) >> 1
    tie_down = (x >> 63) & -(half > 0).astype(np.int64)  # -1 for negative x, else 0
    rounded: Ints = (x + half + tie_down) >> exponent
    return rounded


def multiply_by_quantized_multiplier(x: Array, multiplier: ArrayLike, shift: ArrayLike) -> Ints:
    """``x * real`` for an int32 accumulator ``x`` (``MultiplyByQuantizedMultiplier``)."""
    shift = np.asarray(shift, np.int64)
    lifted = wrap_int32(np.asarray(x, np.int64) << np.maximum(shift, 0))
    product = saturating_rounding_doubling_high_mul(lifted, multiplier)
    return rounding_divide_by_pot(product, np.maximum(-shift, 0))


def multiply_by_reduced_multiplier(x: Array, multiplier: ArrayLike, shift: ArrayLike) -> Ints:
    """``x * real`` for an int64 accumulator (|x| < 2**47), as int16x8 kernels compute it.

    The multiplier is reduced to 16 bits and the product is rounded once, ties up.
    """
    multiplier = np.asarray(multiplier, np.int64)
    reduced = np.where(multiplier < 0x7FFF0000, (multiplier + (1 << 15)) >> 16, 0x7FFF)
    total_shift = 15 - np.asarray(shift, np.int64)
    rounding = np.int64(1) << (total_shift - 1)
    return wrap_int32((np.asarray(x, np.int64) * reduced + rounding) >> total_shift)


def saturating_rounding_multiply_by_pot(x: Array, exponent: int) -> Ints:
    """``x * 2**exponent`` in int32: saturating to the left, rounding to the right."""
    x = np.asarray(x, np.int64)
    if exponent <= 0:
        return rounding_divide_by_pot(x, -exponent)
    threshold = (1 << (31 - exponent)) - 1
    shifted = np.where(x > threshold, INT32_MAX, x << exponent)
    return np.where(x < -threshold, INT32_MIN, shifted)


def activation_range(
    activation: Activation, quantization: Quantization, dtype: str
) -> tuple[int, int]:
    """The stored integers between which a fused activation clamps the output."""
    low, high = INTEGER_RANGES[dtype]
    scale, zero_point = quantization.scale[0], int(quantization.zero_point[0])

    def stored(bound: float, unbounded: int) -> int:
        if not np.isfinite(bound):
            return unbounded
        return zero_point + int(round_half_away(np.float32(bound) / scale))

    lower, upper = activation.bounds
    return max(low, stored(lower, low)), min(high, stored(upper, high))


def count_leading_zeros(x: Array) -> Ints:
    """Leading zero bits of ``x`` as a uint32; 32 for 0."""
    _, bits = np.frexp(np.asarray(x, np.float64))
    return 32 - bits.astype(np.int64)


# Functions of fixed-point numbers: an int32 raw value in Qm.(31-m), m integer bits.

_EXP_MINUS_EIGHTH = 1895147668
_ONE_THIRD = 715827883
_EXP_OF_MINUS_POWERS_OF_TWO: dict[int, int] = {
    -2: 1672461947,
    -1: 1302514674,
    0: 790015084,
    1: 290630308,
    2: 39332535,
    3: 720401,
    4: 242,
}
"""``exp(-2**k)`` in Q0.31 by ``k``."""


def _exp_around_minus_eighth(a: Ints) -> Ints:
    """``exp(a)`` in Q0.31 for ``a`` in Q0.31, [-1/4, 0): a fourth-order Taylor expansion."""
    mul = saturating_rounding_doubling_high_mul
    x = a + (1 << 28)
    x2 = mul(x, x)
    x3 = mul(x2, x)
    x4 = mul(x2, x2)
    cubic = mul(rounding_divide_by_pot(x4, 2) + x3, _ONE_THIRD) + x2
    return _EXP_MINUS_EIGHTH + mul(x + rounding_divide_by_pot(cubic, 1), _EXP_MINUS_EIGHTH)


def exp_on_negative_values(a: Array, integer_bits: int) -> Ints:
    """``exp(a)`` in Q0.31 for ``a <= 0`` in Q``integer_bits``.

    The last quarter goes through a polynomial; the whole quarters before it are multiplied in,
    one binary digit at a time. ``integer_bits`` is at most 5.
    """
    a = np.asarray(a, np.int64)
    fractional_bits = 31 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    last_quarter = (a & (quarter - 1)) - quarter
    result = _exp_around_minus_eighth(
        saturating_rounding_multiply_by_pot(last_quarter, integer_bits)
    )
    remainder = last_quarter - a
    for exponent, factor in _EXP_OF_MINUS_POWERS_OF_TWO.items():
        if integer_bits > exponent:
            digit = remainder & (1 << (fractional_bits + exponent))
            scaled = saturating_rounding_doubling_high_mul(result, factor)
            result = np.where(digit != 0, scaled, result)
    return np.where(a == 0, INT32_MAX, result)


def one_over_one_plus_x(a: Array) -> Ints:
    """``1 / (1 + a)`` in Q0.31 for ``a`` in Q0.31, [0, 1): three Newton-Raphson steps."""
    mul = saturating_rounding_doubling_high_mul
    total = np.asarray(a, np.int64) + INT32_MAX
    half_denominator = (total + 1) >> 1
    # Q2.29 from here; 48/17 and -32/17 start the iteration
    x = 1515870810 + mul(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - mul(half_denominator, x)
        x = x + saturating_rounding_multiply_by_pot(mul(x, error), 2)
    # half the value read as Q1.30, then widened to Q0.31
    return saturating_rounding_multiply_by_pot(x, 1)


def reciprocal(x: Array, integer_bits: int) -> tuple[Ints, Ints]:
    """``1 / x`` of positive Q``integer_bits``: Q0.31 value in [1/2, 1) and the bits over unit."""
    x = np.asarray(x, np.int64)
    headroom = count_leading_zeros(x)
    fraction = wrap_int32((x << headroom) - (np.int64(1) << 31))
    return one_over_one_plus_x(fraction), integer_bits - headroom
