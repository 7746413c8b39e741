"""Resizing against LiteRT's reference kernels and Keras, in float and in integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.one_op import assert_equals_litert
from support.quantized_op import quantized_case
from support.shapes import few, generators

from edgenn.ir.ops import ResizeBilinear, ResizeNearest

sides = st.integers(1, 13)
images = st.tuples(st.integers(1, 2), sides, sides, st.integers(1, 3))
BILINEAR_SAMPLING = [(False, True), (False, False), (True, False)]
NEAREST_SAMPLING = [*BILINEAR_SAMPLING, (True, True)]


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize(("align_corners", "half_pixel_centers"), NEAREST_SAMPLING)
@few
@given(image=images, size=st.tuples(sides, sides), rng=generators)
def test_nearest_equals_litert(
    align_corners: bool,
    half_pixel_centers: bool,
    dtype: str,
    image: tuple,
    size: tuple,
    rng: np.random.Generator,
):
    operator = ResizeNearest(size, align_corners, half_pixel_centers)
    assert_equals_litert(*quantized_case(operator, [image], [dtype], rng))


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize(("align_corners", "half_pixel_centers"), BILINEAR_SAMPLING)
@few
@given(image=images, size=st.tuples(sides, sides), rng=generators)
def test_bilinear_equals_litert(
    align_corners: bool,
    half_pixel_centers: bool,
    dtype: str,
    image: tuple,
    size: tuple,
    rng: np.random.Generator,
):
    operator = ResizeBilinear(size, align_corners, half_pixel_centers)
    case = quantized_case(operator, [image], [dtype], rng)
    assert_equals_litert(*case, tolerance=1e-6)


@pytest.mark.parametrize("size", [(3, 14), (10, 5), (9, 21)])
@pytest.mark.parametrize(
    ("operator", "interpolation"), [(ResizeNearest, "nearest"), (ResizeBilinear, "bilinear")]
)
def test_float_equals_keras(operator: type, interpolation: str, size: tuple):
    import keras

    x = np.random.default_rng(0).normal(size=(2, 5, 7, 3)).astype(np.float32)
    theirs = keras.layers.Resizing(*size, interpolation=interpolation)(x)
    (ours,) = operator(size).evaluate([x])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
