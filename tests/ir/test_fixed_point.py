"""Fixed-point arithmetic against exact fractions, real functions and LiteRT's own rounding."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.litert import run
from support.one_op import one_op

from edgenn.ir import ops
from edgenn.ir.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    activation_range,
    count_leading_zeros,
    exp_on_negative_values,
    multiply_by_quantized_multiplier,
    multiply_by_reduced_multiplier,
    quantize_multiplier,
    reciprocal,
    round_half_away,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    saturating_rounding_multiply_by_pot,
)
from edgenn.ir.operator import Activation
from edgenn.ir.tensor import Quantization, Tensor

many = settings(max_examples=200, deadline=None, derandomize=True)
int32s = st.integers(INT32_MIN, INT32_MAX)
multipliers = st.floats(2.0**-30, 2.0**10)


def away(x: Fraction) -> int:
    """Nearest integer, ties away from zero."""
    return floor(x + Fraction(1, 2)) if x >= 0 else ceil(x - Fraction(1, 2))


def up(x: Fraction) -> int:
    """Nearest integer, ties up."""
    return floor(x + Fraction(1, 2))


@many
@given(x=st.floats(-(2**40), 2**40))
def test_round_half_away(x):
    assert int(round_half_away(np.float64(x))) == away(Fraction(x))


def test_round_half_away_keeps_what_is_just_below_a_half():
    below = np.nextafter(np.float32(0.5), np.float32(0))
    assert round_half_away(np.array([below, -below, 0.5, -0.5, 2.5], np.float32)).tolist() == [
        0, 0, 1, -1, 3,
    ]  # fmt: skip


@many
@given(real=multipliers)
def test_quantized_multiplier_is_the_real_one_to_31_bits(real):
    multiplier, shift = (int(part) for part in quantize_multiplier(real))
    assert 2**30 <= multiplier < 2**31
    assert abs(Fraction(multiplier) * Fraction(2) ** (shift - 31) / Fraction(real) - 1) <= 2**-31


def test_tiny_multipliers_vanish():
    multiplier, shift = quantize_multiplier([0.0, 2.0**-40])
    assert multiplier.tolist() == shift.tolist() == [0, 0]


@many
@given(a=int32s, b=int32s)
def test_doubling_high_mul(a, b):
    expected = min(up(Fraction(a * b, 2**31)), INT32_MAX)
    assert int(saturating_rounding_doubling_high_mul(np.array(a), b)) == expected


@many
@given(x=int32s, exponent=st.integers(0, 31))
def test_rounding_divide_by_pot(x, exponent):
    assert int(rounding_divide_by_pot(np.array(x), exponent)) == away(Fraction(x, 2**exponent))


@many
@given(x=int32s, exponent=st.integers(-12, 12))
def test_multiply_by_pot_saturates(x, exponent):
    exact = away(Fraction(x) * Fraction(2) ** exponent)
    expected = min(max(exact, INT32_MIN), INT32_MAX)
    got = int(saturating_rounding_multiply_by_pot(np.array(x), exponent))
    # gemmlowp saturates one step early
    assert got == expected or abs(exact) >= 2**31 - 2 ** max(exponent, 0)


@many
@given(x=st.integers(-(2**20), 2**20), real=multipliers)
def test_multiplication_of_32_bit_accumulators_rounds_twice(x, real):
    multiplier, shift = (int(part) for part in quantize_multiplier(real))
    left, right = max(shift, 0), max(-shift, 0)
    first = up(Fraction((x << left) * multiplier, 2**31))
    expected = away(Fraction(first, 2**right))
    assert int(multiply_by_quantized_multiplier(np.array(x), multiplier, shift)) == expected


@many
@given(x=st.integers(-(2**40), 2**40), real=st.floats(2.0**-30, 2.0**-10))
def test_multiplication_of_64_bit_accumulators_has_15_bits_of_multiplier(x, real):
    multiplier, shift = (int(part) for part in quantize_multiplier(real))
    reduced = min((multiplier + 2**15) >> 16, 2**15 - 1)
    expected = up(Fraction(x * reduced) * Fraction(2) ** (shift - 15))
    assert int(multiply_by_reduced_multiplier(np.array(x), multiplier, shift)) == expected


@pytest.mark.parametrize(
    ("dtype", "scale", "right", "wrong"),
    [
        ("int8", 3.0, multiply_by_quantized_multiplier, multiply_by_reduced_multiplier),
        ("int16", 0.05, multiply_by_reduced_multiplier, multiply_by_quantized_multiplier),
    ],
)
def test_litert_rounds_twice_in_8_bits_and_once_in_16(dtype, scale, right, wrong):
    """The build switch TFLITE_SINGLE_ROUNDING is off in the package that people install."""
    rng = np.random.default_rng(0)
    x = Tensor("x", (1, 1, 4000, 2), dtype, Quantization.per_tensor(0.05))
    kernel = rng.integers(-127, 128, (16, 1, 1, 2)).astype(np.int8)
    scales = rng.uniform(0.5, 1, 16).astype(np.float32)
    weights = Tensor.constant("w", kernel, Quantization.per_channel(scales, 0))
    output = Quantization.per_tensor(scale)
    graph = one_op(ops.Conv2D(), [x, weights], [output])
    values = rng.integers(-100, 100, (1, 1, 4000, 2)).astype(dtype)
    sums = values.reshape(-1, 2).astype(np.int64) @ kernel.reshape(16, 2).T.astype(np.int64)
    real = np.float64(np.float32(0.05)) * scales.astype(np.float64) / np.float64(output.scale[0])
    parts = quantize_multiplier(real)
    measured = run(graph, {"x": values})["y0"].reshape(-1, 16)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    np.testing.assert_array_equal(measured, np.clip(right(sums, *parts), low, high))
    assert (measured != np.clip(wrong(sums, *parts), low, high)).any()


@pytest.mark.parametrize(
    ("activation", "dtype", "scale", "zero_point", "expected"),
    [
        (Activation.NONE, "int8", 0.1, 3, (-128, 127)),
        (Activation.RELU, "int8", 0.1, 3, (3, 127)),
        (Activation.RELU6, "int8", 0.1, 3, (3, 63)),
        (Activation.RELU6, "int8", 0.01, -128, (-128, 127)),
        (Activation.RELU_N1_TO_1, "int8", 0.1, 3, (-7, 13)),
        (Activation.RELU6, "int16", 0.001, 0, (0, 6000)),
        (Activation.NONE, "int16", 0.001, 0, (-32768, 32767)),
    ],
)
def test_activation_range(activation, dtype, scale, zero_point, expected):
    quantization = Quantization.per_tensor(scale, zero_point)
    assert activation_range(activation, quantization, dtype) == expected


@many
@given(x=st.integers(0, 2**32 - 1))
def test_count_leading_zeros(x):
    assert int(count_leading_zeros(np.array(x))) == 32 - x.bit_length()


@pytest.mark.parametrize("integer_bits", [0, 2, 5])
def test_exponential(integer_bits):
    raw = np.linspace(INT32_MIN, 0, 100_001).astype(np.int64)
    real = raw / 2.0 ** (31 - integer_bits)
    error = exp_on_negative_values(raw, integer_bits) / 2.0**31 - np.exp(real)
    assert np.abs(error).max() < 1e-6


@many
@given(x=st.integers(1, 2**31 - 1))
def test_reciprocal(x):
    value, bits = (int(part) for part in reciprocal(np.array(x), 12))
    real = Fraction(value, 2**31) / Fraction(2) ** bits
    assert abs(real * Fraction(x, 2**19) - 1) < 1e-6
