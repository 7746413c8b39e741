"""How often intervals hold the truth, by simulation."""

import time

import numpy as np
import pytest
from scipy import stats

from edgenn.drift.metrics import Tally
from edgenn.drift.metrics.bootstrap import GroupedSums, paired_interval
from edgenn.drift.metrics.classification import names_classes, rate
from edgenn.drift.metrics.metric import Task

ACCURACY = Task(lambda judged: judged, rate, names_classes)


def interval_of(*sides, chunk=None):
    """Of the difference of two rates, from hits (0 or 1) of the same samples."""
    sums = GroupedSums(0), GroupedSums(0)
    for kept, hits in zip(sums, sides, strict=True):
        rows = np.stack([hits, np.ones(len(hits))], -1)
        for start in range(0, len(rows), chunk or len(rows)):
            kept.add(rows[start : start + (chunk or len(rows))])
    return paired_interval(ACCURACY, *sums, 0)


def classifier(generator, count):
    """Right for 90 %; the artifact loses 4 % of all samples and gains 2 %."""
    kinds = generator.choice(4, size=count, p=[0.86, 0.04, 0.02, 0.08])
    return np.isin(kinds, (0, 1)).astype(float), np.isin(kinds, (0, 2)).astype(float)


def covered(intervals, truth):
    return np.mean([low <= truth <= high for low, high in intervals])


@pytest.mark.parametrize("count", [200, 500, 3000])
@pytest.mark.parametrize("in_order", [False, True])
def test_95_percent_hold_the_true_difference_of_accuracies(count, in_order):
    generator = np.random.default_rng(count)
    found = []
    for _ in range(400):
        sides = classifier(generator, count)
        if in_order:  # samples sorted by class, as folders of pictures are
            order = np.lexsort(sides)
            sides = tuple(side[order] for side in sides)
        found.append(interval_of(*sides))
    assert 0.90 <= covered(found, -0.02) <= 0.99


def test_width_is_that_of_the_paired_binomial():
    sides = classifier(np.random.default_rng(0), 20_000)
    low, high = interval_of(*sides)
    expected = 2 * stats.norm.ppf(0.975) * (sides[1] - sides[0]).std() / np.sqrt(20_000)
    assert high - low == pytest.approx(expected, rel=0.15)


def test_pairing_takes_out_what_both_share():
    hits, _ = classifier(np.random.default_rng(0), 400)
    assert interval_of(hits, hits) == (0, 0)
    shuffled = np.random.default_rng(1).permutation(hits)
    low, high = interval_of(hits, shuffled)
    assert high - low > 0.05


def test_as_scipy_says():
    sides = classifier(np.random.default_rng(3), 300)

    def difference(first, second, axis):
        return second.mean(axis) - first.mean(axis)

    expected = stats.bootstrap(
        sides, difference, paired=True, method="percentile", n_resamples=4000, rng=0
    ).confidence_interval
    assert interval_of(*sides) == pytest.approx((expected.low, expected.high), abs=0.004)


def test_same_numbers_for_the_same_samples_however_they_come():
    sides = classifier(np.random.default_rng(0), 2000)
    assert interval_of(*sides) == interval_of(*sides, chunk=37)


def logistic(generator, count):
    """Scores of a detector, those of a noisier one, and labels."""
    labels = generator.integers(2, size=count)
    scores = generator.normal(size=count) + 1.5 * labels
    noisy = scores + generator.normal(0, 0.7, size=count)
    return scores[:, None], noisy[:, None], labels


def interval_by_tally(arrays, metric):
    tally = Tally(labelled=True)
    tally.update(*arrays)
    return tally.intervals()[metric]


@pytest.mark.parametrize("count", [300, 2500])
def test_95_percent_hold_the_true_difference_of_areas(count):
    generator = np.random.default_rng(0)
    # two normal distributions whose means lie d apart: the area is Φ(d / √2·σ)
    truth = stats.norm.cdf(1.5 / np.sqrt(2 * 1.49)) - stats.norm.cdf(1.5 / np.sqrt(2))
    found = [interval_by_tally(logistic(generator, count), "auc") for _ in range(100)]
    assert 0.90 <= covered(found, truth) <= 0.99


def test_95_percent_hold_the_true_difference_of_errors():
    generator = np.random.default_rng(0)
    found = []
    for _ in range(150):
        labels = generator.normal(size=(600, 1))
        first = labels + generator.normal(size=labels.shape)
        second = first + generator.normal(0, 0.5, size=labels.shape)
        found.append(interval_by_tally((first, second, labels), "mae"))
    truth = np.sqrt(2 / np.pi) * (np.sqrt(1.25) - 1)
    assert 0.90 <= covered(found, truth) <= 0.99


def test_intervals_of_many_samples_are_cheap():
    generator = np.random.default_rng(0)
    outputs = generator.dirichlet(np.ones(10), size=10_000).astype(np.float32)
    tally = Tally(labelled=True)
    tally.update(outputs, np.round(outputs * 256) / 256, generator.integers(10, size=10_000))
    tally.values()
    start = time.process_time()
    assert set(tally.intervals()) == {"accuracy", "f1", "auc"}
    assert time.process_time() - start < 0.6, "about 0.08 s on one core"
