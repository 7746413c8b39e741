import tracemalloc
import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenn.drift.metrics import METRICS, Tally
from edgenn.errors import DataError, UsageError

NAMED = ("bits_per_character", "edit_distance", "word_error_rate")


def softmax(numbers):
    shifted = np.exp(numbers - numbers.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def classified(count, classes=10, seed=0, shape=()):
    """Probabilities of a fair classifier, the same rounded to 8 bits, and labels."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=(count, *shape))
    numbers = generator.normal(size=(*labels.shape, classes)) + 2 * np.eye(classes)[labels]
    outputs = softmax(numbers).astype(np.float32)
    return outputs, np.round(outputs * 256) / np.float32(256), labels


def regressed(count, seed=0, shape=(3,)):
    generator = np.random.default_rng(seed)
    labels = generator.normal(280, 2, size=(count, *shape))
    outputs = (labels + generator.normal(size=labels.shape)).astype(np.float32)
    return outputs, outputs + generator.normal(0, 0.1, labels.shape).astype(np.float32), labels


def boxed(count, seed=0):
    generator = np.random.default_rng(seed)
    corners = generator.uniform(0, 50, size=(count, 4, 2))
    boxes = np.concatenate([corners, corners + generator.uniform(5, 30, (count, 4, 2))], -1)
    kinds = generator.integers(-1, 3, size=(count, 4, 1))
    labels = np.concatenate([boxes, kinds], -1)
    moved = boxes + generator.normal(0, 2, size=boxes.shape)
    scores = generator.uniform(size=(count, 4, 1))
    outputs = np.concatenate([moved, scores, np.where(kinds < 0, 1, kinds)], -1)
    return outputs, outputs + generator.normal(0, 0.3, outputs.shape).round(1), labels


DATA = {
    "classes": classified(70),
    "steps": classified(50, 5, shape=(7,)),
    "maps": classified(20, 4, shape=(5, 6)),
    "numbers": regressed(60),
    "series": regressed(40, shape=(5, 2)),
    "boxes": boxed(60),
    "yes or no": (
        *(np.float32(o[:, :1]) for o in classified(60, 2)[:2]),
        1 - classified(60, 2)[2],
    ),
}


def tally_of(arrays, cuts=(), **options):
    """All samples, in chunks that end at the cuts."""
    tally = Tally(labelled=len(arrays) == 3, **options)
    for start, stop in pairwise([0, *sorted(cuts), len(arrays[0])]):
        tally.update(*(array[start:stop] for array in arrays))
    return tally


def readings(tally):
    return tally.values(), tally.reference_values(), tally.intervals()


@pytest.mark.parametrize("name", DATA)
@settings(max_examples=15, deadline=None)
@given(shares=st.lists(st.floats(0, 1), max_size=6))
def test_chunks_of_any_size_give_the_same(name, shares):
    arrays = DATA[name]
    cuts = [round(share * len(arrays[0])) for share in shares]
    in_one = readings(tally_of(arrays, metrics=NAMED))
    assert readings(tally_of(arrays, cuts, metrics=NAMED)) == in_one


def test_chunks_across_blocks_and_groups_give_the_same():
    arrays = classified(5000, 3)
    assert readings(tally_of(arrays, [1, 1501, 1508, 3000])) == readings(tally_of(arrays))


def test_which_metrics_have_a_meaning():
    def found(name, metrics=None):
        values = tally_of(DATA[name], metrics=metrics).values()
        assert list(values) == list(METRICS)
        return {n for n, v in values.items() if v is not None and METRICS[n].of_labels}

    assert found("classes") == {"accuracy", "f1", "auc"}
    assert found("steps") == {"accuracy", "f1"}
    assert found("steps", NAMED) == {"accuracy", "f1", *NAMED}
    assert found("maps") == {"accuracy", "mean_iou"}
    assert found("numbers") == found("series") == {"mae", "r2", "nse"}
    assert found("boxes") == {"map"}
    assert found("yes or no") == {"accuracy", "f1", "auc"}


def test_every_metric_has_a_value_somewhere():
    asked = [name for name, metric in METRICS.items() if metric.asked]
    readings = [tally_of(arrays, metrics=asked).values() for arrays in DATA.values()]
    without = {n for n in METRICS if all(values[n] is None for values in readings)}
    assert without == {"score"}, "it has a class of its own"


def test_table_is_complete():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.better in ("lower", "higher")
        assert metric.source and metric.title and metric.purpose


def test_without_labels_there_are_no_task_metrics():
    tally = tally_of(DATA["classes"][:2])
    assert all(tally.values()[n] is None for n, metric in METRICS.items() if metric.of_labels)
    assert set(tally.reference_values().values()) == {None}
    assert tally.intervals() == {}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_narrow_outputs_are_compared_in_float64(dtype):
    reference = np.full((3, 4), 1024, dtype)
    values = tally_of((reference, reference + dtype(2))).values()
    assert values["rmse"] == values["max_abs"] == 2


def test_integers_do_not_wrap():
    low, high = np.full((2, 3), -128, np.int8), np.full((2, 3), 127, np.int8)
    assert tally_of((low, high)).values()["max_abs"] == 255


@pytest.mark.parametrize("name", DATA)
def test_outputs_that_are_no_numbers_are_told_without_warnings(name, capfd):
    reference, actual, labels = DATA[name]
    broken = actual.copy()
    broken[3:] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values, of_keras, _ = readings(tally_of((reference, broken, labels), metrics=NAMED))
    assert np.isnan(values["rmse"]) and np.isnan(values["cosine"])
    if values["accuracy"] is not None:
        assert values["accuracy"] <= 3 / len(reference) < of_keras["accuracy"]
    assert capfd.readouterr().err == ""


def test_no_samples():
    tally = Tally(labelled=True)
    assert set(tally.values().values()) == set(tally.reference_values().values()) == {None}
    assert tally.intervals() == {}
    tally.update(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, int))
    tally.update(np.zeros((2, 0)), np.zeros((2, 0)), np.zeros(2, int))
    assert set(tally.values().values()) == {None}


def test_one_sample_has_values_and_no_interval():
    values, _, intervals = readings(tally_of(tuple(array[:1] for array in DATA["classes"])))
    assert values["accuracy"] in (0, 1) and values["rmse"] > 0
    assert intervals == {}


@pytest.mark.parametrize("kind", DATA)
def test_what_a_tally_knows_of_keras_serves_others(kind):
    reference, actual, labels = DATA[kind]
    first = tally_of((reference, reference[::-1], labels), metrics=NAMED)
    alone = tally_of((reference, actual, labels), metrics=NAMED)
    beside = Tally(NAMED, labelled=True, beside=first)
    beside.update(reference, actual, labels)
    assert repr(readings(beside)) == repr(readings(alone))


def test_a_reference_that_claims_nothing_has_no_interval():
    nothing = np.full((4, 2, 6), -1.0)
    boxes = np.tile([0.0, 0, 9, 9, 0.5, 1], (4, 2, 1))
    values, _, intervals = readings(tally_of((nothing, boxes, np.full((4, 3, 5), -1.0))))
    assert values["max_abs"] == 10 and intervals == {}


def test_shapes_that_do_not_fit():
    with pytest.raises(DataError, match=r"\(2, 3\).*\(2, 4\)"):
        Tally().update(np.zeros((2, 4)), np.zeros((2, 3)))
    with pytest.raises(DataError, match="1 labels for 2 samples"):
        Tally(labelled=True).update(np.zeros((2, 4)), np.zeros((2, 4)), np.zeros(1))
    with pytest.raises(DataError, match="no labels"):
        Tally(labelled=True).update(np.zeros((2, 4)), np.zeros((2, 4)))


def test_unknown_metric_gets_the_nearest_names():
    with pytest.raises(UsageError, match="acuracy") as error:
        Tally(["acuracy"])
    assert "accuracy" in (error.value.hint or "")


def test_text_as_labels_has_no_meaning():
    reference, actual, _ = DATA["classes"]
    labels = np.full(len(reference), "cat")
    values, _, _ = readings(tally_of((reference, actual, labels), metrics=NAMED))
    assert all(values[n] is None for n, metric in METRICS.items() if metric.of_labels)


def test_memory_is_flat_however_many_samples():
    def peak(count):
        tally = Tally(labelled=True)
        tracemalloc.start()
        for seed in range(count // 1000):
            tally.update(*classified(1000, seed=seed))
        tally.values(), tally.intervals()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1000)  # what is loaded once
    assert peak(100_000) < peak(10_000) + (16 << 20)
