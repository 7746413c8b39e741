"""Sigmoid and tanh of 16-bit fixed-point numbers, as TFLite's integer LSTM kernels compute them.

What LOGISTIC and TANH compute in int16 is something else: they interpolate in a table. Here it is
the arithmetic of ``edgenn.ir.fixed_point`` with half the bits. A function has 65536 inputs only:
it is computed once for all of them. Source: gemmlowp ``fixedpoint/fixedpoint.h``.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.fixed_point import Ints, rounding_divide_by_pot

INT16_MIN, INT16_MAX = -32768, 32767
ONE = INT16_MAX
"""1 in Q0.15, as near as it gets."""
MAX_TANH_INTEGER_BITS = 6
"""The LSTM kernel has tanh for up to so many integer bits and leaves out the rest in silence."""

_EXP_MINUS_EIGHTH = 28918
_ONE_THIRD = 10923
_EXP_OF_MINUS_POWERS_OF_TWO = {-2: 25520, -1: 19875, 0: 12055, 1: 4435, 2: 600, 3: 11, 4: 0}
"""``exp(-2**k)`` in Q0.15 by ``k``."""
_48_OVER_17, _MINUS_32_OVER_17 = 23130, -15420
"""In Q2.13: where the division begins."""


def wrap_int16(x: Ints) -> Ints:
    """The low 16 bits as a signed number, as int16 arithmetic leaves them."""
    return x.astype(np.int16).astype(np.int64)


def saturate_int16(x: Ints) -> Ints:
    saturated: Ints = np.clip(x, INT16_MIN, INT16_MAX)
    return saturated


@cache
def sigmoid_table() -> NDArray[np.int16]:
    """Sigmoid of every Q3.12 number, in Q0.15; at index ``number + 32768``."""
    x = _all_numbers()
    magnitude = np.where(x > 0, x, wrap_int16(-x))
    positive = _quotient(_exp_on_negative_values(wrap_int16(-magnitude), 3))
    positive = _shifted_left(positive, 1)
    result = np.where(x > 0, positive, ONE - positive)
    return np.where(x == 0, 1 << 14, result).astype(np.int16)


@cache
def tanh_table(integer_bits: int) -> NDArray[np.int16]:
    """Tanh of every number with so many integer bits, in Q0.15; at index ``number + 32768``."""
    assert 0 <= integer_bits <= MAX_TANH_INTEGER_BITS
    x = _all_numbers()
    negative = np.where(x < 0, x, wrap_int16(-x))
    # (1 - e) / (1 + e) = 2 / (1 + e) - 1, where e = exp(-2 |x|)
    quotient = _quotient(_exp_on_negative_values(negative, integer_bits + 1))
    positive = _shifted_left(quotient - (1 << 13), 2)
    result = np.where(x < 0, -positive, positive)
    return np.where(x == 0, 0, result).astype(np.int16)


def look_up(table: NDArray[np.int16], numbers: Ints) -> Ints:
    """The table's entries for int16 ``numbers``."""
    return table[numbers + 32768].astype(np.int64)


def _all_numbers() -> Ints:
    return np.arange(INT16_MIN, INT16_MAX + 1, dtype=np.int64)


def _multiply(a: Ints, b: Ints | int) -> Ints:
    """``a * b / 2**15``, nearest, ties up: the 16-bit ``SQRDMULH``."""
    return np.asarray(np.minimum((a * b + (1 << 14)) >> 15, INT16_MAX))


def _shifted_left(x: Ints, bits: int) -> Ints:
    return saturate_int16(x << bits)


def _exp_around_minus_eighth(a: Ints) -> Ints:
    """``exp(a)`` in Q0.15 for ``a`` in Q0.15, [-1/4, 0): a fourth-order Taylor expansion."""
    x = a + (1 << 12)
    x2 = _multiply(x, x)
    x3 = _multiply(x2, x)
    x4 = _multiply(x2, x2)
    cubic = _multiply(rounding_divide_by_pot(x4, 2) + x3, _ONE_THIRD) + x2
    term = _multiply(x + rounding_divide_by_pot(cubic, 1), _EXP_MINUS_EIGHTH)
    return saturate_int16(_EXP_MINUS_EIGHTH + term)


def _exp_on_negative_values(a: Ints, integer_bits: int) -> Ints:
    """``exp(a)`` in Q0.15 for ``a <= 0`` with ``integer_bits``, at most 7."""
    fractional_bits = 15 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    last_quarter = (a & (quarter - 1)) - quarter
    result = _exp_around_minus_eighth(_shifted_left(last_quarter, integer_bits))
    remainder = last_quarter - a
    for exponent, factor in _EXP_OF_MINUS_POWERS_OF_TWO.items():
        if integer_bits > exponent:
            digit = remainder & (1 << (fractional_bits + exponent))
            result = np.where(digit != 0, _multiply(result, factor), result)
    if integer_bits > 5:
        result = np.where(a < -32 << fractional_bits, 0, result)
    return np.where(a == 0, ONE, result)


def _quotient(a: Ints) -> Ints:
    """``2 / (1 + a)`` in Q2.13 for ``a`` in Q0.15, [0, 1): three Newton-Raphson steps."""
    half_denominator = (a + ONE + 1) >> 1
    x = _48_OVER_17 + _multiply(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        error = (1 << 13) - _multiply(half_denominator, x)
        x = x + _shifted_left(_multiply(x, error), 2)
    return x
