import numpy as np
import pytest

from edgenn.drift.metrics import METRICS, compute_metrics

REFERENCE = np.array([[0.1, 0.9, 0.0], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.8, 0.1, 0.1]])


def value(name, reference, actual, labels=None):
    return compute_metrics(np.asarray(reference), np.asarray(actual), labels)[name]


def test_differences():
    actual = REFERENCE.copy()
    actual[0, 0] += 0.3
    assert value("max_abs", REFERENCE, actual) == pytest.approx(0.3)
    assert value("rmse", REFERENCE, actual) == pytest.approx(0.3 / np.sqrt(12))


def test_sqnr_of_known_noise():
    reference = np.full((10, 1), 100.0)
    assert value("sqnr_db", reference, reference + 1) == pytest.approx(40)
    assert value("sqnr_db", reference, reference) == np.inf
    assert value("sqnr_db", np.zeros((2, 1)), np.ones((2, 1))) is None


def test_cosine():
    assert value("cosine", [[1.0, 0.0]], [[3.0, 3.0]]) == pytest.approx(np.sqrt(0.5))
    assert value("cosine", REFERENCE, 7 * REFERENCE) == pytest.approx(1)
    assert value("cosine", [[0.0]], [[1.0]]) is None


def test_top1_agreement():
    actual = REFERENCE.copy()
    actual[3] = [0.1, 0.8, 0.1]
    assert value("top1_agreement", REFERENCE, actual) == 0.75
    assert value("top1_agreement", REFERENCE[:, :1], actual[:, :1]) is None
    pixels = np.stack([REFERENCE, actual])
    assert value("top1_agreement", np.stack([REFERENCE, REFERENCE]), pixels) == 0.875


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([1, 0, 2, 1]), 0.75),
        (np.eye(3)[[1, 0, 2, 1]], 0.75),
        (np.array([0.5, 0.1, 0.2, 0.3]), None),  # a regression's targets
        (np.array([[1], [0], [2], [1]]), 0.75),
        (np.array([[1, 0], [0, 1], [2, 1], [1, 0]]), None),
        (None, None),
    ],
)
def test_accuracy(labels, expected):
    assert value("accuracy", REFERENCE, REFERENCE, labels) == expected


def test_accuracy_of_one_probability():
    output = np.array([[0.9], [0.2], [0.6]])
    for labels in (np.array([1, 0, 0]), np.array([[1], [0], [0]]), np.array([True, False, False])):
        assert value("accuracy", output, output, labels) == pytest.approx(2 / 3)


def test_float32_is_compared_in_float64():
    reference = np.full((1, 2), 16777216, np.float32)
    assert value("rmse", reference, reference + np.float32(2)) == pytest.approx(2)


def test_table_is_complete():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.better in ("lower", "higher")
        assert metric.source and metric.title
