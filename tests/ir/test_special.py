"""The error function against Python's own."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.shapes import few

from edgenn.ir.special import erfc

BORDERS = [0.0, -0.0, 0.84375, 1.25, 1 / 0.35, 6.0, 26.5, 28.0, 40.0]


@few
@given(st.lists(st.floats(-30, 27), min_size=1, max_size=200))
def test_equals_the_c_library(values: list[float]):
    x = np.array([*values, *BORDERS, *(-border for border in BORDERS)])
    expected = np.array([math.erfc(value) for value in x])
    np.testing.assert_allclose(erfc(x), expected, rtol=1e-14, atol=1e-300)


def test_dense_grid():
    x = np.linspace(-6, 26, 20001)
    expected = np.array([math.erfc(value) for value in x])
    np.testing.assert_allclose(erfc(x), expected, rtol=2e-15)


def test_limits_and_not_a_number():
    assert erfc(np.array([np.inf, -np.inf])).tolist() == [0.0, 2.0]
    assert np.isnan(erfc(np.array([np.nan])))[0]
