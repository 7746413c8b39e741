"""Weights rounded so that their errors cancel: never worse on the data, clearly better where
inputs go together, and nothing made of what a few samples show by chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenn.quantization.compensation import (
    TRUSTS,
    best_trust,
    compensated,
    output_error,
    rounded_with_compensation,
)
from edgenn.quantization.parameters import WEIGHT_LIMIT, quantize_weights, weight_scales


def correlated(rng, rows, features, rank):
    """Inputs of few causes, bounded like states of an LSTM."""
    causes = np.random.default_rng(99).normal(size=(rank, features))
    return np.tanh(rng.normal(size=(rows, rank)) @ causes + 0.1 * rng.normal(size=(rows, features)))


def independent(rng, rows, features, _):
    return rng.normal(size=(rows, features))


def rare(rng, rows, features, _):
    """Most inputs are zero most of the time."""
    values = np.abs(rng.normal(size=(rows, features)))
    return values * (rng.random((rows, features)) < 0.1)


def products(x):
    return x.T @ x / max(len(x), 1)


def halves(x):
    middle = len(x) // 2
    return np.stack([products(x[:middle]), products(x[middle:])])


def weights_of(rng, outputs, features):
    weights = rng.normal(size=(outputs, features)).astype(np.float32)
    return weights, weight_scales(weights, 0, None, 1.0)


def errors(weights, scales, x, judge):
    """Output errors on ``judge``: compensated by what ``x`` shows, and plainly rounded."""
    integers = rounded_with_compensation(weights, scales, products(x), halves(x))
    plain = quantize_weights(weights, scales, 0)
    return [output_error(weights, scales, i, products(judge)) for i in (integers, plain)]


def test_correlated_inputs_gain_much():
    rng = np.random.default_rng(0)
    weights, scales = weights_of(rng, 48, 64)
    x, fresh = (correlated(rng, 4000, 64, 16) for _ in range(2))
    ours, plain = errors(weights, scales, x, fresh)
    assert ours < 0.6 * plain


@pytest.mark.parametrize("rows", [16, 17, 30, 64, 128, 1000])
@pytest.mark.parametrize("inputs", [correlated, independent, rare])
def test_few_samples_do_no_harm_to_others(inputs, rows):
    """Every product of inputs may fit by chance, the more so the fewer rows there are."""
    rng = np.random.default_rng(rows)
    weights, scales = weights_of(rng, 48, 64)
    ours, plain = errors(weights, scales, inputs(rng, rows, 64, 16), inputs(rng, 4000, 64, 16))
    assert ours <= 1.1 * plain


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.integers(1, 24),
    st.integers(1, 80),
    st.sampled_from([correlated, independent, rare]),
)
@settings(max_examples=60, deadline=None)
def test_integers_are_in_range_and_always_the_same(seed, outputs, features, rows, inputs):
    rng = np.random.default_rng(seed)
    weights, scales = weights_of(rng, outputs, features)
    x = inputs(rng, rows, features, 4)
    result = rounded_with_compensation(weights, scales, products(x), halves(x))
    assert result.dtype == np.int8
    assert result.shape == weights.shape
    assert np.abs(result.astype(int)).max() <= WEIGHT_LIMIT
    again = rounded_with_compensation(weights, scales, products(x), halves(x))
    np.testing.assert_array_equal(result, again)


@pytest.mark.parametrize("trust", TRUSTS)
def test_inputs_that_do_not_go_together_are_rounded_one_by_one(trust):
    rng = np.random.default_rng(1)
    weights, scales = weights_of(rng, 8, 32)
    squares = np.diag(rng.uniform(0.1, 9, 32))
    np.testing.assert_array_equal(
        compensated(weights, scales, squares, trust), quantize_weights(weights, scales, 0)
    )


def test_without_trust_every_weight_is_rounded_by_itself():
    rng = np.random.default_rng(2)
    weights, scales = weights_of(rng, 8, 32)
    x = correlated(rng, 100, 32, 4)
    np.testing.assert_array_equal(
        compensated(weights, scales, products(x), 0), quantize_weights(weights, scales, 0)
    )


@pytest.mark.parametrize("trust", TRUSTS)
@pytest.mark.parametrize(
    "singular",
    [
        np.zeros((16, 16)),
        np.ones((16, 16)),
        np.outer(np.arange(16), np.arange(16)) * 1e-12,
        np.diag([1e6] + [0.0] * 15),
    ],
    ids=["nothing", "all alike", "tiny", "one alone"],
)
def test_singular_products_are_no_failure(singular, trust):
    weights, scales = weights_of(np.random.default_rng(3), 8, 16)
    result = compensated(weights, scales, singular, trust)
    assert np.isfinite(result).all()
    plain = quantize_weights(weights, scales, 0)
    ours, theirs = (output_error(weights, scales, i, singular) for i in (result, plain))
    assert ours <= theirs * (1 + 1e-9)


def test_a_half_without_data_proves_nothing():
    rng = np.random.default_rng(4)
    weights, scales = weights_of(rng, 8, 16)
    seen = products(correlated(rng, 100, 16, 4))
    assert best_trust(weights, scales, np.stack([np.zeros_like(seen), seen])) == 0


def test_trust_grows_with_the_data():
    rng = np.random.default_rng(5)
    weights, scales = weights_of(rng, 48, 64)
    trusts = [
        best_trust(weights, scales, halves(correlated(rng, n, 64, 16))) for n in (2, 200, 20000)
    ]
    assert trusts == sorted(trusts)
    assert trusts[-1] >= 0.9


def test_rows_of_zeros():
    rng = np.random.default_rng(6)
    weights, _ = weights_of(rng, 8, 16)
    weights[3] = 0
    scales = weight_scales(weights, 0, None, 1.0)
    x = correlated(rng, 100, 16, 4)
    result = rounded_with_compensation(weights, scales, products(x), halves(x))
    assert not result[3].any()
