import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from edgenn.drift.metrics import Tally

REFERENCE = np.array([[0.1, 0.9, 0.0], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.8, 0.1, 0.1]])


def value(name, reference, actual):
    tally = Tally()
    tally.update(np.asarray(reference), np.asarray(actual))
    return tally.values()[name]


def test_top1_agreement():
    actual = REFERENCE.copy()
    actual[3] = [0.1, 0.8, 0.1]
    assert value("top1_agreement", REFERENCE, actual) == 0.75
    assert value("top1_agreement", REFERENCE[:, :1], actual[:, :1]) is None
    pixels = np.stack([REFERENCE, actual])
    assert value("top1_agreement", np.stack([REFERENCE, REFERENCE]), pixels) == 0.875


def test_top5_agreement_as_scikit_learn_says():
    generator = np.random.default_rng(0)
    reference, actual = generator.normal(size=(2, 200, 12))
    expected = top_k_accuracy_score(reference.argmax(-1), actual, k=5, labels=range(12))
    assert value("top5_agreement", reference, actual) == expected
    assert value("top5_agreement", reference[:, :5], actual[:, :5]) is None


def test_top5_counts_ties_for_the_artifact():
    flat = np.full((3, 8), 0.125)
    assert value("top5_agreement", np.eye(8)[:3], flat) == 1


def test_kl_by_hand():
    p, q = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.25, 0.75], [0.5, 0.5]])
    first = 0.5 * np.log(2) + 0.5 * np.log(2 / 3)
    assert value("kl", p, q) == pytest.approx((first + np.log(2)) / 2, abs=1e-5)
    assert value("kl", p, p) == pytest.approx(0)


def test_kl_as_keras_says():
    keras = pytest.importorskip("keras")
    generator = np.random.default_rng(1)
    p, q = generator.dirichlet(np.full(6, 0.2), size=(2, 50)).astype(np.float32)
    q = np.round(q * 256) / np.float32(256)  # an int8 softmax has zeros
    expected = np.mean(keras.losses.kl_divergence(p, np.clip(q, 1e-7, 1)))
    assert value("kl", p, q) == pytest.approx(float(expected), rel=1e-3)


def test_kl_is_of_probabilities_only():
    assert value("kl", REFERENCE * 2, REFERENCE) is None
    assert value("kl", REFERENCE - 0.5, REFERENCE) is None
    assert value("kl", np.ones((4, 1)), np.ones((4, 1))) is None
