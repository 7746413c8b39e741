import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenn.ir.tensor import Quantization
from edgenn.quantization.parameters import (
    Range,
    activation_quantization,
    quantize_bias,
    quantize_weights,
    weight_scales,
)

BOUND = st.floats(-1e4, 1e4, width=32)
FAST = settings(max_examples=100, deadline=None, derandomize=True)


@FAST
@given(BOUND, BOUND)
def test_int8_grid_holds_zero_and_covers_the_range(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    q = activation_quantization(Range(low, high), "int8", symmetric=False)
    scale, zero_point = float(q.scale[0]), int(q.zero_point[0])
    assert -128 <= zero_point <= 127
    assert q.dequantize(np.array([zero_point], np.int8))[0] == 0.0
    assert (-128 - zero_point) * scale <= min(low, 0) + scale
    assert (127 - zero_point) * scale >= max(high, 0) - scale


@FAST
@given(BOUND, BOUND)
def test_symmetric_grid_has_zero_point_zero_and_covers_the_range(a: float, b: float) -> None:
    q = activation_quantization(Range(min(a, b), max(a, b)), "int16", symmetric=True)
    assert int(q.zero_point[0]) == 0
    assert float(q.scale[0]) * 32767 >= max(abs(a), abs(b)) * (1 - 1e-6)


def test_photos_of_0_to_255_are_stored_without_error() -> None:
    q = activation_quantization(Range(0, 255), "int8", symmetric=False)
    photo = np.arange(256, dtype=np.float32)
    assert np.array_equal(q.dequantize(q.quantize(photo, "int8")), photo)


def test_weights_are_within_half_a_step_of_their_channel() -> None:
    weights = np.random.default_rng(0).normal(size=(5, 3, 3, 4)).astype(np.float32)
    weights[2] *= 1000
    scales = weight_scales(weights, 0, None, 1.0)
    steps = quantize_weights(weights, scales, 0)
    assert np.abs(steps).max(axis=(1, 2, 3)) == pytest.approx(127)
    error = np.abs(steps * scales[:, None, None, None] - weights)
    assert (error <= scales[:, None, None, None] * 0.5001).all()


def test_a_bias_that_would_overflow_widens_its_channels_scale() -> None:
    weights = np.full((2, 4), 1e-6, np.float32)
    bias = np.array([1.0, 1e4], np.float32)
    scales = weight_scales(weights, 0, bias, 1e-3)
    steps = quantize_bias(bias, scales * np.float32(1e-3), "int32")
    assert np.abs(steps.astype(np.int64)).max() <= 2**30 + 1
    assert steps * scales.astype(np.float64) * 1e-3 == pytest.approx(bias, rel=1e-5)


def test_quantize_rounds_ties_away_from_zero_and_saturates() -> None:
    q = Quantization.per_tensor(1.0, 0)
    real = np.array([0.5, -0.5, 1.5, 0.49999997, 300, -300], np.float32)
    assert q.quantize(real, "int8").tolist() == [1, -1, 2, 0, 127, -128]
