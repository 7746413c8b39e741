import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, jaccard_score

from edgenn.drift.metrics import Tally

OUTPUTS = np.array([[0.1, 0.9, 0.0], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.8, 0.1, 0.1]])


def values(outputs, labels):
    tally = Tally(labelled=True)
    tally.update(outputs, outputs, labels)
    return tally.values()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([1, 0, 2, 1]), 0.75),
        (np.array([1.0, 0.0, 2.0, 1.0]), 0.75),
        (np.eye(3)[[1, 0, 2, 1]], 0.75),
        (np.eye(3, dtype=np.uint8)[[1, 0, 2, 1]], 0.75),
        (np.array([[1], [0], [2], [1]]), 0.75),
        (np.array([1, 0, 7, 1]), 0.5),  # a class that the output does not have
        (np.array([1, -1, -1, 1]), 0.5),  # padding
        (np.array([0.5, 0.1, 0.2, 0.3]), None),  # a regression's targets
        (np.array([[1, 0], [0, 1], [2, 1], [1, 0]]), None),
    ],
)
def test_accuracy(labels, expected):
    assert values(OUTPUTS, labels)["accuracy"] == expected


def test_one_probability():
    output = np.array([[0.9], [0.2], [0.6]])
    for labels in (np.array([1, 0, 0]), np.array([[1], [0], [0]]), np.array([True, False, False])):
        assert values(output, labels)["accuracy"] == pytest.approx(2 / 3)
        assert values(output.ravel(), labels)["accuracy"] == pytest.approx(2 / 3)
        assert values(output, labels.astype(np.float32))["accuracy"] == pytest.approx(2 / 3)


def test_one_logit():
    output = np.array([[4.0], [0.2], [-3.0]])
    assert values(output, np.array([1, 1, 0]))["accuracy"] == 1


def test_classes_named_by_the_output_itself():
    named = np.array([3, 1, 2, 2], np.int64)
    found = values(named, np.array([3, 1, 2, 0]))
    assert found["accuracy"] == 0.75 and found["auc"] is None


def random_classes(shape, classes, seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=shape)
    outputs = generator.normal(size=(*shape, classes)) + 1.5 * np.eye(classes)[labels]
    return outputs, labels


@pytest.mark.parametrize("seed", range(5))
def test_f1_as_scikit_learn_says(seed):
    outputs, labels = random_classes((40,), 9, seed)
    labels[labels > 6] = 0  # classes without samples
    found = values(outputs, labels)
    named = outputs.argmax(-1)
    assert found["f1"] == pytest.approx(f1_score(labels, named, average="macro", zero_division=0))
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, named))


def test_as_many_classes_as_indices_can_name():
    outputs, labels = random_classes((40,), 256, 0)
    expected = accuracy_score(labels, outputs.argmax(-1))
    assert values(outputs, labels)["accuracy"] == pytest.approx(expected)
    assert values(outputs, np.eye(256)[labels])["accuracy"] == pytest.approx(expected)


def test_f1_of_yes_or_no_is_of_both_classes():
    generator = np.random.default_rng(0)
    labels, scores = generator.integers(2, size=50), generator.uniform(size=(50, 1))
    expected = f1_score(labels, scores[:, 0] > 0.5, average="macro")
    assert values(scores, labels)["f1"] == pytest.approx(expected)


def test_several_classes_at_once():
    generator = np.random.default_rng(0)
    labels, scores = generator.integers(2, size=(50, 4)), generator.uniform(size=(50, 4))
    found = values(scores, labels)
    assert found["f1"] == pytest.approx(f1_score(labels, scores > 0.5, average="macro"))
    assert found["accuracy"] == pytest.approx(np.mean((scores > 0.5) == labels))


@pytest.mark.parametrize("seed", range(5))
def test_mean_iou_as_scikit_learn_says(seed):
    outputs, labels = random_classes((3, 6, 5), 7, seed)
    labels[labels > 5] = 0
    named = outputs.argmax(-1)
    expected = jaccard_score(labels.ravel(), named.ravel(), average="macro", zero_division=0)
    assert values(outputs, labels)["mean_iou"] == pytest.approx(expected)
    assert values(outputs, labels[..., None])["mean_iou"] == pytest.approx(expected)
    assert values(outputs, np.eye(7)[labels])["mean_iou"] == pytest.approx(expected)
    assert values(named, labels)["mean_iou"] == pytest.approx(expected)


def test_void_pixels_do_not_count():
    outputs, labels = random_classes((3, 6, 5), 4, 0)
    void = np.random.default_rng(1).random(labels.shape) < 0.3
    expected = jaccard_score(labels[~void], outputs.argmax(-1)[~void], average="macro")
    for mark in (255, -1):
        marked = np.where(void, mark, labels)
        assert values(outputs, marked)["mean_iou"] == pytest.approx(expected)


def test_masks_of_yes_and_no():
    generator = np.random.default_rng(0)
    scores, labels = generator.uniform(size=(3, 6, 5, 1)), generator.integers(2, size=(3, 6, 5))
    expected = jaccard_score(labels.ravel(), scores.ravel() > 0.5, average="macro")
    for given in (labels, labels[..., None], labels.astype(np.float32)):
        assert values(scores, given)["mean_iou"] == pytest.approx(expected)


def test_maps_have_no_f1_and_samples_no_iou():
    outputs, labels = random_classes((3, 6, 5), 4, 0)
    assert values(outputs, labels)["f1"] is None
    assert values(outputs[:, 0, 0], labels[:, 0, 0])["mean_iou"] is None
