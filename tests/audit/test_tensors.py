"""What the model makes of the samples. The witness is the NumPy evaluation of the same graph."""

from math import comb

import numpy as np
import pytest

from edgenn.audit.checks.ranges import by_chance
from edgenn.audit.tensors import calibrated_ranges, two_halves
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Concatenation, FullyConnected, Logistic, Reshape


def dense_graph(activation=Activation.NONE):
    rng = np.random.default_rng(0)
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 4))
    kernel = builder.constant("k", rng.normal(size=(6, 4)).astype(np.float32))
    y = builder.add(FullyConnected(activation=activation), [x, kernel], "dense")
    return builder.finish({"y": builder.add(Logistic(), [y], "gate")})


def samples(count, scale=1.0, seed=1):
    return (scale * np.random.default_rng(seed).uniform(-1, 1, (count, 4))).astype(np.float32)


def entry(report, tensor):
    return next(entry for entry in report.tensors if entry.tensor == tensor)


def test_what_lies_outside_is_counted(run, found):
    graph, calibration, evaluation = dense_graph(), samples(100), samples(64, 1.5, seed=2)
    report = run(graph, calibration, evaluation)
    own, other = (evaluate(graph, {"x": x})["dense"] for x in (calibration, evaluation))
    margin = (own.max() - own.min()) / 510  # half a step of int8
    outside = (other < own.min() - margin) | (other > own.max() + margin)
    assert 0.05 < outside.any(axis=1).mean() < 1
    dense = entry(report, "dense")
    assert (dense.low, dense.high) == pytest.approx((own.min(), own.max()), abs=1e-5)
    assert dense.values_outside == pytest.approx(outside.mean())
    assert dense.samples_outside == pytest.approx(outside.any(axis=1).mean())
    beyond = np.maximum(own.min() - other, other - own.max())
    assert dense.excess == pytest.approx(beyond.max() / (own.max() - own.min()), abs=1e-5)
    assert dense.worst_sample == beyond.max(axis=1).argmax()
    (finding,) = found(report, "ranges")
    assert finding.severity == "warning" and finding.tensors[0] == report.tensors[0].tensor
    assert report.tensors[0].samples_outside == max(e.samples_outside for e in report.tensors)


def test_what_is_prescribed_is_never_exceeded(run):
    report = run(dense_graph(), samples(100), samples(100, 3.0, seed=2))
    assert [entry.tensor for entry in report.tensors if entry.tensor == "gate"] == []


def test_samples_of_the_same_kind_exceed_by_chance_only(run, found):
    for seed in range(2, 6):
        report = run(dense_graph(), samples(200), samples(200, seed=seed))
        assert all(finding.severity == "note" for finding in found(report, "ranges"))


def test_tensors_that_share_a_scale_share_a_range():
    builder = GraphBuilder("m")
    x, z = builder.input("x", (None, 2)), builder.input("z", (None, 2))
    joined = builder.add(Concatenation(axis=1), [x, z], "joined")
    graph = builder.finish({"y": builder.add(Reshape(shape=(-1, 2, 2)), [joined], "moved")})

    class Half:
        def __init__(self, low, high):
            self.low, self.high = low, high

    seen = {"x": Half(1, 2), "z": Half(3, 9), "joined": Half(1, 9), "moved": Half(1, 9)}
    ranges = calibrated_ranges(graph, (seen,))
    assert set(ranges) == {"x", "z"}  # the others only move what these hold
    assert {(r.low, r.high) for r in ranges.values()} == {(0, 9)}


def test_halves_are_disjoint_and_complete():
    first, second = two_halves(101)
    assert sorted([*first, *second]) == list(range(101))
    assert abs(len(first) - len(second)) == 1
    assert not np.array_equal(first, np.arange(len(first)))
    np.testing.assert_array_equal(first, two_halves(101)[0])
    assert [len(half) for half in two_halves(1)] == [1]


def test_halves_that_disagree(run, found):
    calibration = samples(200)
    assert not found(run(dense_graph(), calibration), "few")
    calibration[17] *= 3
    report = run(dense_graph(), calibration)
    (finding,) = found(report, "few")
    assert finding.severity == "warning" and set(finding.tensors) == {"x", "dense"}
    assert entry(report, "dense").disagreement > 0.2


def test_a_single_sample_is_too_few_and_no_crash(run, found):
    (finding,) = found(run(dense_graph(), samples(1), samples(3)), "few")
    assert "only 1 calibration sample to" in finding.message


def test_dead_channels(run, found):
    graph = dense_graph(Activation.RELU)
    values = evaluate(graph, {"x": np.abs(samples(200))})["dense"]
    dead = (values.max(axis=0) == 0).sum()
    assert 0 < dead < 6
    (finding,) = found(run(graph, np.abs(samples(200))), "dead channels")
    assert finding.severity == "note" and f"dense ({dead} of 6)" in finding.message


def test_a_dead_layer(run, found):
    builder = GraphBuilder("m")
    x = builder.input("x", (None, 4))
    kernel = builder.constant("k", -np.ones((2, 4), np.float32))
    dense = FullyConnected(activation=Activation.RELU)
    graph = builder.finish({"y": builder.add(dense, [x, kernel], "dense")})
    (finding,) = found(run(graph, np.abs(samples(50))), "dead channels")
    assert finding.severity == "warning" and finding.tensors == ("dense",)
    report = run(graph, np.abs(samples(50)), samples(50))
    assert "it was 0" in found(report, "ranges")[0].message


@pytest.mark.parametrize(("n", "m"), [(20, 30), (100, 50)])
def test_how_likely_exceedances_are(n, m):
    """The witness draws samples; one end alone, and both, are within the bound."""
    rng = np.random.default_rng(0)
    own, other = rng.normal(size=(20_000, n)), rng.normal(size=(20_000, m))
    above = (other > own.max(axis=1, keepdims=True)).sum(axis=1)
    both = above + (other < own.min(axis=1, keepdims=True)).sum(axis=1)
    for k in range(1, 6):
        if by_chance(k, n, m) < 1:
            assert (above >= k).mean() == pytest.approx(by_chance(k, n, m) / (k + 1), abs=0.01)
        assert (both >= k).mean() <= by_chance(k, n, m) + 0.01


def test_how_likely_nothing_and_everything_is():
    assert by_chance(0, 10, 10) == 1
    assert by_chance(10, 10, 10) == pytest.approx(11 / comb(20, 10))
