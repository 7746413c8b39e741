"""The order of rungs, and what each is compared with."""

import numpy as np
import pytest
from support.bundles import SAMPLES, Told, make_bundle, predict
from support.targets import cpu_targets, fake_profile, fake_target

from edgenn.data import dataset
from edgenn.drift import check_bundle
from edgenn.drift.ladder import rung_before, target_order
from edgenn.drift.report import Rung, Verdict, broken
from edgenn.drift.worst import POINTS, Worst, shrunk
from edgenn.runners import FakeRunner


def rung(scheme, target, metrics=True):
    return Rung(f"n.{scheme}.tflite", scheme, target, metrics={} if metrics else None)


def test_what_a_rung_is_compared_with():
    graph = Rung("", "float32", "float graph", metrics={})
    first, second = rung("float32", "a"), rung("float32", "b")
    assert rung_before([], "float32") is None
    assert rung_before([graph], "float32") is graph
    assert rung_before([graph, first, second], "int8") is graph
    assert rung_before([first, rung("int8", "a"), rung("int8", "b")], "int8").label == "int8 b"
    assert rung_before([first, rung("int8", "a", metrics=False)], "int8") is first


def test_targets_stand_in_the_order_of_the_ladder():
    given = ["mine", "gpu-fp16", "ethos-u55-128", "cpu-xnnpack", "gpu-fp32", "cpu-reference"]
    ordered = [profile.name for profile in target_order(map(fake_profile, [*given, "graph"]))]
    assert ordered[:5] == ["graph", "cpu-reference", "cpu-xnnpack", "gpu-fp32", "gpu-fp16"]
    assert ordered[5:] == ["mine", "ethos-u55-128"]


def test_labels_say_scheme_form_and_target():
    assert Rung("n.int8.unrolled.batch1.tflite", "int8", "gpu").label == "int8 unrolled batch1 gpu"
    assert Rung("", "float32", "float graph").label == "float graph"


def test_the_float_graph_is_the_first_rung_where_the_model_is_at_hand(tmp_path):
    class Loaded(Told):
        is_loaded = True

    data = dataset({"x": SAMPLES})
    report = check_bundle(make_bundle(tmp_path), data, Loaded(), cpu_targets())
    labels = [rung.label for rung in report.rungs]
    assert labels[0] == "float graph" and report.rungs[0].metrics["y"]["max_abs"] == 0
    assert [rung.before for rung in report.rungs] == ["", *labels[:-1]]
    assert all(rung.step["y"]["max_abs"] < 1e-5 for rung in report.rungs[1:])


def test_the_step_is_against_the_rung_before(tmp_path):
    shifted = fake_target(FakeRunner(lambda x: {"y": predict(dataset(x))["y"] + 0.5}), "one")
    again = fake_target(FakeRunner(lambda x: {"y": predict(dataset(x))["y"] + 0.5}), "two")
    report = check_bundle(make_bundle(tmp_path), dataset({"x": SAMPLES}), None, [shifted, again])
    first, second = report.rungs
    assert first.metrics["y"]["max_abs"] == pytest.approx(0.5, rel=1e-5) and not first.step
    assert second.metrics["y"]["max_abs"] == pytest.approx(0.5, rel=1e-5)
    assert second.step["y"]["max_abs"] == 0 and second.before == first.label
    assert report.first_break == "float32 one" and report.exit_code == 1


def test_a_slow_target_sees_the_first_samples_only(tmp_path):
    runner = FakeRunner(lambda inputs: predict(dataset(inputs)))
    slow = fake_target(runner, "slow", judge={"macs": 2 * 864})
    report = check_bundle(make_bundle(tmp_path), dataset({"x": SAMPLES}), None, [slow])
    (only,) = report.rungs
    assert only.samples == 2 and only.metrics["y"]["max_abs"] == 0


def test_the_worst_samples_come_with_what_went_in(tmp_path):
    def off_at_two(inputs):
        wrong = predict(dataset(inputs))["y"].copy()
        wrong[2] += 3
        return {"y": wrong}

    target = fake_target(FakeRunner(off_at_two))
    labels = np.arange(len(SAMPLES))
    report = check_bundle(make_bundle(tmp_path), dataset({"x": SAMPLES}, labels), None, [target])
    (sample,) = report.rungs[0].worst
    assert sample.index == 2 and sample.label == 2 and sample.output == "y"
    assert np.shape(sample.inputs["x"]) == (4, 8) and sample.actual != sample.reference


def test_worst_samples_do_not_depend_on_the_chunks():
    random = np.random.default_rng(0)
    reference = random.normal(size=(50, 3))
    actual = reference + random.normal(size=(50, 3)) * random.random((50, 1))
    whole, parts = Worst("y"), Worst("y")
    whole.update(0, reference, actual)
    for start in range(0, 50, 7):
        parts.update(start, reference[start : start + 7], actual[start : start + 7])
    assert whole.samples() == parts.samples()
    errors = np.linalg.norm(actual - reference, axis=1) / np.linalg.norm(reference, axis=1)
    assert [sample.index for sample in whole.samples()] == list(np.argsort(-errors)[:8])


@pytest.mark.parametrize(
    ("shape", "small"),
    [
        ((224, 224, 3), (56, 56, 3)),
        ((8, 8, 1), (8, 8, 1)),
        ((16000,), (POINTS * 125 // 128, 1)),
        ((49, 40), (49, 40)),
        ((), (1, 1)),
    ],
)
def test_samples_small_enough_to_be_shown(shape, small):
    assert shrunk(np.zeros(shape)).shape == small


def test_broken_is_any_line_that_fails():
    fine = Verdict("rmse", "y", 1.0, 0.5, True, "", "default")
    assert not broken([fine]) and broken([fine, Verdict("rmse", "y", 1.0, 2.0, False, "", "")])
