import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edgenn.drift.metrics import Tally

REFERENCE = np.array([[0.1, 0.9, 0.0], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.8, 0.1, 0.1]])


def values(reference, actual):
    tally = Tally()
    tally.update(np.asarray(reference), np.asarray(actual))
    return tally.values()


def value(name, reference, actual):
    return values(reference, actual)[name]


def test_differences():
    actual = REFERENCE.copy()
    actual[0, 0] += 0.3
    assert value("max_abs", REFERENCE, actual) == pytest.approx(0.3)
    assert value("max_abs_of_range", REFERENCE, actual) == pytest.approx(0.3 / 0.9)
    assert value("rmse", REFERENCE, actual) == pytest.approx(0.3 / np.sqrt(12))


def test_sqnr_of_known_noise():
    reference = np.full((10, 1), 100.0)
    assert value("sqnr_db", reference, reference + 1) == pytest.approx(40)
    assert value("sqnr_db", reference, reference) == np.inf
    assert value("sqnr_db", np.zeros((2, 1)), np.ones((2, 1))) is None


def test_psnr_of_known_noise():
    reference = np.array([[0.0], [100.0]])
    assert value("psnr_db", reference, reference + 1) == pytest.approx(40)
    assert value("psnr_db", reference, reference) == np.inf
    assert value("psnr_db", np.ones((2, 1)), np.zeros((2, 1))) is None


def test_cosine():
    assert value("cosine", [[1.0, 0.0]], [[3.0, 3.0]]) == pytest.approx(np.sqrt(0.5))
    assert value("cosine", REFERENCE, 7 * REFERENCE) == pytest.approx(1)
    assert value("cosine", [[0.0]], [[1.0]]) is None


def test_no_difference():
    same = values(np.zeros((2, 3)), np.zeros((2, 3)))
    assert same["max_abs_of_range"] == same["relative_l2"] == same["rmse"] == 0
    assert same["sqnr_db"] == same["psnr_db"] == np.inf


finite = st.floats(-1e3, 1e3, width=32)


@given(st.data(), array_shapes(min_dims=1, max_dims=4, max_side=5))
def test_as_numpy_says(data, shape):
    reference, actual = (data.draw(arrays(np.float64, shape, elements=finite)) for _ in range(2))
    found = values(reference, actual)
    difference = (actual - reference).ravel()
    assert found["max_abs"] == np.abs(difference).max()
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(difference**2)))
    norm = np.linalg.norm(reference)
    if norm > 1e-3:
        assert found["relative_l2"] == pytest.approx(np.linalg.norm(difference) / norm)
    if np.linalg.norm(difference) > 1e-3 and norm > 1e-3:
        ratio = np.sum(reference**2) / np.sum(difference**2)
        assert found["sqnr_db"] == pytest.approx(10 * np.log10(ratio), abs=1e-9)
    if np.ptp(reference) > 1e-3:
        share = np.abs(difference).max() / np.ptp(reference)
        assert found["max_abs_of_range"] == pytest.approx(share)
