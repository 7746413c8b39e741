import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from edgenn.drift.metrics import Tally
from edgenn.drift.metrics.detection import average_precision, overlap

PADDED = [0, 0, 0, 0, 0, -1]


def mean_average_precision(outputs, labels):
    tally = Tally(labelled=True)
    arrays = np.array(outputs, np.float32), np.array(labels, np.float32)
    tally.update(arrays[0], arrays[0], arrays[1])
    return tally.values()["map"]


def test_overlap_by_hand():
    boxes = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 3]])
    shares = overlap(boxes[:1], boxes)
    np.testing.assert_allclose(shares, [[1, 50 / 150, 0, 0]])


def test_by_hand():
    # one picture, three boxes of class 0, detections in the order right, wrong, right
    labels = [[[0, 0, 10, 10, 0], [20, 20, 30, 30, 0], [50, 50, 60, 60, 0]]]
    outputs = [
        [
            [0, 0, 10, 9, 0.9, 0],
            [80, 80, 90, 90, 0.8, 0],
            [21, 20, 30, 30, 0.7, 0],
            PADDED,
        ]
    ]
    # recalls 1/3 and 2/3 with the precisions 1 and 2/3; the third box is never found
    assert mean_average_precision(outputs, labels) == pytest.approx((1 + 2 / 3) / 3)


def test_the_best_later_precision_counts():
    # wrong, right, right: precisions 0, 1/2, 2/3, and 2/3 is reached at every recall
    labels = [[[0, 0, 10, 10, 0], [20, 20, 30, 30, 0]]]
    outputs = [[[50, 50, 60, 60, 0.9, 0], [0, 0, 10, 10, 0.8, 0], [20, 20, 30, 30, 0.7, 0]]]
    assert mean_average_precision(outputs, labels) == pytest.approx(2 / 3)


def test_a_box_is_found_once_and_by_its_class_only():
    labels = [[[0, 0, 10, 10, 0]]]
    twice = [[[0, 0, 10, 10, 0.9, 0], [0, 0, 10, 9, 0.8, 0]]]
    assert mean_average_precision(twice, labels) == 1, "the second is wrong, behind full recall"
    other = [[[0, 0, 10, 10, 0.9, 1], [0, 0, 10, 10, 0.8, 0]]]
    assert mean_average_precision(other, labels) == 1
    only_other = [[[0, 0, 10, 10, 0.9, 1]]]
    assert mean_average_precision(only_other, labels) == 0
    loose = [[[0, 0, 10, 4.9, 0.9, 0]]]
    assert mean_average_precision(loose, labels) == 0, "an overlap of 0.49"


def test_mean_over_classes_with_boxes_and_pictures_of_all_chunks():
    labels = [
        [[0, 0, 10, 10, 0], [0, 0, 0, 0, -1]],
        [[0, 0, 10, 10, 2], [20, 20, 30, 30, 0]],
    ]
    outputs = [
        [[0, 0, 10, 10, 0.6, 0], [0, 0, 10, 10, 0.5, 1]],
        [[20, 20, 30, 30, 0.9, 0], PADDED],
    ]
    assert mean_average_precision(outputs, labels) == pytest.approx((1 + 0) / 2)


def test_nothing_to_find():
    assert mean_average_precision([[PADDED]], [[[0, 0, 0, 0, -1]]]) is None


def test_scikit_learn_where_precision_never_rises():
    right = np.array([1, 1, 1, 0, 1, 0, 0, 0])
    scores = np.linspace(0.9, 0.1, 8)
    found = average_precision(scores[::-1], right[::-1], 1 - right[::-1])
    assert found == pytest.approx(average_precision_score(right, scores))


def test_never_less_than_scikit_learn():
    generator = np.random.default_rng(0)
    for _ in range(20):
        right, scores = generator.integers(2, size=30), np.sort(generator.random(30))
        found = average_precision(scores, right, 1 - right)
        assert found >= average_precision_score(right, scores) - 1e-12
