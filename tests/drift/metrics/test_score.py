import time

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from edgenn.drift.metrics import Score, Tally
from edgenn.errors import DataError


def accuracy(predictions, labels):
    return np.mean(predictions.argmax(-1) == labels)


def classified(count, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(3, size=count)
    reference = generator.normal(size=(count, 3)) + 2 * np.eye(3)[labels]
    return reference, reference + generator.normal(0, 0.7, size=reference.shape), labels


def test_reads_as_a_tally_does():
    arrays = classified(400)
    score, tally = Score(accuracy, *arrays), Tally(labelled=True)
    tally.update(*arrays)
    assert score.values() == {"score": tally.values()["accuracy"]}
    assert score.reference_values() == {"score": tally.reference_values()["accuracy"]}
    assert score.intervals()["score"] == pytest.approx(tally.intervals()["accuracy"], abs=0.01)
    assert score.intervals() == Score(accuracy, *arrays).intervals()


def test_a_function_that_does_not_add_up_over_samples():
    def judge(predictions, labels):
        return balanced_accuracy_score(labels, predictions.argmax(-1))

    arrays = classified(300)
    score = Score(judge, *arrays, seconds=60)
    difference = score.values()["score"] - score.reference_values()["score"]
    low, high = score.intervals()["score"]
    assert low < difference < high


def test_95_percent_hold_the_truth():
    generator = np.random.default_rng(0)

    def share(predictions, labels):
        return predictions.mean()

    def found():
        first = generator.random(150)
        second = first + generator.normal(0.1, 1, size=150)
        return Score(share, first, second, first).intervals()["score"]

    hits = [low <= 0.1 <= high for low, high in (found() for _ in range(150))]
    assert 0.90 <= np.mean(hits) <= 0.99


def test_mapped_files_are_resampled_in_part(tmp_path, monkeypatch):
    arrays = classified(2000)
    for index, array in enumerate(arrays[:2]):
        np.save(tmp_path / f"{index}.npy", array)
    mapped = [np.load(tmp_path / f"{index}.npy", mmap_mode="r") for index in range(2)]
    low, high = Score(accuracy, *arrays).intervals()["score"]
    monkeypatch.setattr("edgenn.drift.metrics.score.RESAMPLED_BYTES", 400 * 24)
    sizes = []

    def judge(predictions, labels):
        sizes.append(len(predictions))
        return accuracy(predictions, labels)

    partial = Score(judge, *mapped, arrays[2]).intervals()["score"]
    assert partial == pytest.approx((low, high), abs=0.01)
    assert sizes[:2] == [2000, 2000] and set(sizes[2:]) == {400}


def test_a_slow_function_has_fewer_resamples_or_none():
    calls = []

    def slow(predictions, labels):
        calls.append(1)
        time.sleep(0.02)
        return accuracy(predictions, labels)

    arrays = classified(50)
    start = time.perf_counter()
    assert "score" in Score(slow, *arrays, seconds=3).intervals()
    assert time.perf_counter() - start < 6 and 2 + 2 * 25 <= len(calls) < 2 + 2 * 100
    assert Score(slow, *arrays, seconds=0.1).intervals() == {}


def test_a_function_that_fails_is_told():
    def broken(predictions, labels):
        raise KeyError("column")

    with pytest.raises(DataError, match="KeyError: 'column'") as error:
        Score(broken, *classified(5)).values()
    assert "(5, 3)" in (error.value.hint or "")
    with pytest.raises(DataError, match="score"):
        Score(lambda *_: "good", *classified(5)).values()


def test_no_number_is_no_interval():
    score = Score(lambda *_: float("nan"), *classified(5))
    assert np.isnan(score.values()["score"]) and score.intervals() == {}


def test_lengths_that_differ():
    reference, actual, labels = classified(5)
    with pytest.raises(DataError, match="4 labels"):
        Score(accuracy, reference, actual, labels[:4])
