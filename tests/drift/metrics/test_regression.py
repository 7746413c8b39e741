import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score

from edgenn.drift.metrics import Tally


def values(outputs, labels):
    tally = Tally(labelled=True)
    tally.update(outputs, outputs, labels)
    return tally.values()


def numbers(shape, seed=0, mean=3.0):
    generator = np.random.default_rng(seed)
    labels = generator.normal(mean, 2, size=shape)
    return labels + generator.normal(size=shape), labels


@given(st.integers(2, 40), st.integers(1, 5), st.integers(0, 100))
def test_as_scikit_learn_says(count, features, seed):
    outputs, labels = numbers((count, features), seed)
    found = values(outputs, labels)
    assert found["mae"] == pytest.approx(mean_absolute_error(labels, outputs))
    assert found["r2"] == pytest.approx(r2_score(labels, outputs))
    weighted = r2_score(labels, outputs, multioutput="variance_weighted")
    assert found["nse"] == pytest.approx(weighted)


def test_positions_are_samples_of_a_feature():
    outputs, labels = numbers((6, 7, 2))
    expected = r2_score(labels.reshape(-1, 2), outputs.reshape(-1, 2))
    assert values(outputs, labels)["r2"] == pytest.approx(expected)


@pytest.mark.parametrize(("output", "labels"), [((9,), (9, 1)), ((9, 1), (9,)), ((9, 1), (9, 1))])
def test_a_single_number(output, labels):
    outputs, expected = numbers((9,))
    found = values(outputs.reshape(output), expected.reshape(labels))
    assert found["mae"] == pytest.approx(mean_absolute_error(expected, outputs))
    assert found["r2"] == pytest.approx(found["nse"]) == pytest.approx(r2_score(expected, outputs))


def test_counts_as_labels():
    outputs, labels = np.array([[3.4], [1.0], [12.0]]), np.array([3, 2, 11])
    assert values(outputs, labels)["mae"] == pytest.approx(0.8)
    assert values(outputs, labels)["accuracy"] is None


def test_small_changes_of_large_numbers_are_exact():
    outputs, labels = numbers((50, 2), mean=1e9)
    assert values(outputs, labels)["r2"] == pytest.approx(r2_score(labels, outputs), rel=1e-9)


def test_constant_labels():
    labels = np.full((4, 1), 2.5)
    assert values(labels, labels)["r2"] == 1
    assert values(labels + 1, labels)["r2"] == 0
    assert values(labels + 1, labels)["nse"] is None


def test_many_features_have_no_spread():
    outputs, labels = numbers((2, 5000))
    found = values(outputs, labels)
    assert found["r2"] is None and found["nse"] is None and found["mae"] > 0
