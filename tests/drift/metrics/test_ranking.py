import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from edgenn.drift.metrics import Tally, ranks


def values(outputs, labels):
    tally = Tally(labelled=True)
    tally.update(outputs, outputs, labels)
    return tally.values()


def scored(count, classes, seed=0):
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    numbers = np.exp(generator.normal(size=(count, classes)) + np.eye(classes)[labels])
    return (numbers / numbers.sum(-1, keepdims=True)).astype(np.float32), labels


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40))
def test_yes_or_no_with_ties_as_scikit_learn_says(pairs):
    scores, labels = np.array(pairs).T
    found = values(scores[:, None] / 4, labels.astype(int))["auc"]
    if len(set(labels)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(roc_auc_score(labels, scores))


@pytest.mark.parametrize("classes", [3, 7])
def test_each_class_against_the_rest_as_scikit_learn_says(classes):
    outputs, labels = scored(300, classes)
    wide = outputs / outputs.astype(np.float64).sum(-1, keepdims=True)
    expected = roc_auc_score(labels, wide, multi_class="ovr", average="macro")
    assert values(outputs, labels)["auc"] == pytest.approx(expected, abs=1e-4)
    assert values(outputs, np.eye(classes)[labels])["auc"] == pytest.approx(expected, abs=1e-4)


def test_several_classes_at_once_as_scikit_learn_says():
    generator = np.random.default_rng(0)
    labels, scores = generator.integers(2, size=(50, 4)), generator.uniform(size=(50, 4))
    assert values(scores, labels)["auc"] == pytest.approx(roc_auc_score(labels, scores))


def test_more_scores_than_are_kept_exactly(monkeypatch):
    monkeypatch.setattr(ranks, "MOST_SCORES", 1000)
    outputs, labels = scored(3000, 3)
    expected = roc_auc_score(labels, outputs.astype(np.float64), multi_class="ovr")
    whole = values(outputs, labels)["auc"]
    assert whole == pytest.approx(expected, abs=1e-4)
    parts = Tally(labelled=True)
    for start in range(0, 3000, 170):
        part = slice(start, start + 170)
        parts.update(outputs[part], outputs[part], labels[part])
    assert parts.values()["auc"] == whole


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1), st.integers(0, 1000))
def test_keys_keep_classes_scores_and_their_order(scores, kind):
    score = np.array(scores, np.float32)
    keys = ranks.packed(np.full(len(score), kind), score, score > 0)
    kinds, back, right = ranks.unpacked(keys)
    assert set(kinds) == {kind}
    np.testing.assert_array_equal(back, score)
    np.testing.assert_array_equal(right, score > 0)
    np.testing.assert_array_equal(score[np.argsort(keys)], np.sort(score))


def test_many_classes_have_none():
    outputs, labels = scored(202, 101)
    assert values(outputs, labels)["auc"] is None
