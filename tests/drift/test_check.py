from dataclasses import replace

import numpy as np
import pytest
from support.bundles import SAMPLES, Told, make_bundle, predict
from support.targets import cpu_targets, fake_target

from edgenn.data import dataset
from edgenn.drift import check_bundle
from edgenn.drift.compare import of_steps
from edgenn.drift.metrics import StepHistogram
from edgenn.errors import ArtifactError, DataError, EngineError, UnavailableError, UsageError
from edgenn.runners import FakeRunner

LABELS = np.zeros(len(SAMPLES), np.int64)


@pytest.fixture
def data():
    return dataset({"x": SAMPLES}, LABELS)


def fake(shift=0.0, **options):
    return FakeRunner(lambda inputs: {"y": predict(dataset(inputs))["y"] + shift}, **options)


def test_three_rungs_against_the_stored_reference(tmp_path, data):
    seen = []
    report = check_bundle(
        make_bundle(tmp_path), data, None, cpu_targets(), progress=lambda *step: seen.append(step)
    )
    assert report.reference == "stored"
    assert [(rung.artifact, rung.target) for rung in report.rungs] == [
        ("net.float32.tflite", "cpu-reference"),
        ("net.float32.tflite", "cpu-xnnpack"),
        ("net.float32.onnx", "cpu-onnxruntime"),
    ]
    for rung in report.rungs:
        values = rung.metrics["y"]
        assert 0 <= values["max_abs"] < 1e-5
        assert values["sqnr_db"] > 100
        assert values["top1_agreement"] == 1
        assert rung.latency_ms > 0 and rung.version and not rung.findings
    assert report.exit_code == 0
    assert len(seen) == 3 and all(step[1:] == (6, 6) for step in seen)


def test_other_data_need_a_prediction(tmp_path):
    bundle = make_bundle(tmp_path)
    other = dataset({"x": SAMPLES[:3] * 2})
    with pytest.raises(UsageError, match=r"no Keras predictions for the data.*--model"):
        check_bundle(bundle, other, None, [])
    report = check_bundle(bundle, other, Told(), [fake_target(fake())])
    assert (report.reference, report.samples) == ("computed", 3)
    assert report.rungs[0].metrics["y"]["max_abs"] == 0


def test_stored_reference_is_used_though_a_model_is_at_hand(tmp_path, data):
    def never(data):
        raise AssertionError

    assert check_bundle(make_bundle(tmp_path), data, Told(never), []).reference == "stored"


def test_metrics_of_a_known_drift(tmp_path, data):
    report = check_bundle(make_bundle(tmp_path), data, None, [fake_target(fake(0.5))])
    (rung,) = report.rungs
    assert rung.metrics["y"]["rmse"] == pytest.approx(0.5, rel=1e-5)


def test_labels_give_accuracy_to_keras_and_the_rungs(tmp_path):
    bundle = make_bundle(tmp_path, reference=False)
    pixels = dataset({"x": SAMPLES}, np.zeros((6, 4, 4), np.int64))
    expected = float((predict(pixels)["y"].argmax(-1) == 0).mean())
    report = check_bundle(bundle, pixels, Told(), [fake_target(fake())])
    assert report.reference_metrics["y"]["accuracy"] == pytest.approx(expected)
    assert report.rungs[0].metrics["y"]["accuracy"] == pytest.approx(expected)


def test_labels_that_name_no_class_are_not_dropped_in_silence(tmp_path):
    bundle = make_bundle(tmp_path)
    classes = dataset({"x": SAMPLES}, np.zeros((len(SAMPLES), 4, 4), np.int64))
    assert check_bundle(bundle, classes, None, [fake_target(fake())]).notes == ()
    numbers = dataset({"x": SAMPLES}, np.linspace(0, 1, len(SAMPLES)))
    (note,) = check_bundle(bundle, numbers, None, [fake_target(fake())]).notes
    assert "no accuracy" in note and "float64" in note and "'y'" in note


def test_a_crash_is_a_finding_and_the_others_go_on(tmp_path, data):
    report = check_bundle(make_bundle(tmp_path, crash=True), data, None, cpu_targets())
    assert len(report.rungs) == 5
    failed = [rung for rung in report.rungs if rung.metrics is None]
    assert [(rung.artifact, rung.target) for rung in failed] == [("net.int8.tflite", "cpu-xnnpack")]
    assert "signal 11" in failed[0].findings[0]
    assert report.exit_code == 5


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([None], 0),
        ([UnavailableError("not here")], 4),
        ([UnavailableError("not here"), EngineError("crashed"), None], 5),
    ],
)
def test_exit_codes(tmp_path, data, errors, expected):
    targets = [fake_target(fake(error=error), str(i)) for i, error in enumerate(errors)]
    report = check_bundle(make_bundle(tmp_path), data, None, targets)
    assert report.exit_code == expected


def test_outputs_that_are_no_numbers(tmp_path, data):
    report = check_bundle(make_bundle(tmp_path), data, None, [fake_target(fake(np.nan))])
    assert report.exit_code == 1
    assert "NaN" in report.rungs[0].findings[0]


def test_outputs_that_do_not_match(tmp_path, data):
    bundle = make_bundle(tmp_path)
    with pytest.raises(ArtifactError, match=r"no output 'y', only .'z'"):
        check_bundle(bundle, data, None, [fake_target(FakeRunner(lambda _: {"z": SAMPLES}))])
    with pytest.raises(DataError, match="output 'y' has shape"):
        check_bundle(bundle, data, None, [fake_target(FakeRunner(lambda _: {"y": SAMPLES}))])


def test_samples_that_do_not_fit_stop_the_check(tmp_path):
    data = dataset({"x": SAMPLES[:, :2]})
    with pytest.raises(DataError, match="'x' must have shape"):
        check_bundle(make_bundle(tmp_path), data, Told(), cpu_targets())


def on_grid(bundle, scale):
    """The bundle as if its files gave int8 numbers."""
    artifacts = tuple(
        replace(each, outputs=(replace(each.outputs[0], dtype="int8", scale=scale),))
        for each in bundle.manifest.artifacts
    )
    return replace(bundle, manifest=replace(bundle.manifest, artifacts=artifacts))


def test_integer_steps_between_rungs(tmp_path, data):
    targets = [fake_target(fake(), "a"), fake_target(fake(0.25), "b"), fake_target(fake(100), "c")]
    bundle = on_grid(make_bundle(tmp_path), 0.125)
    first, second, third = check_bundle(bundle, data, None, targets).rungs
    count = predict(data)["y"].size
    assert first.differences == {}
    assert second.differences["y"].edges == (1.5, 2.5)
    assert second.differences["y"].counts == (count,)
    far = third.differences["y"]  # 798 steps, more than are told apart
    assert (far.edges, far.counts) == ((254.5, 255.5), (count,))


def test_floats_have_no_integer_steps(tmp_path, data):
    report = check_bundle(make_bundle(tmp_path), data, None, cpu_targets())
    assert all(rung.differences == {} for rung in report.rungs)


def test_many_different_steps_share_bins():
    counted = StepHistogram(1.0)
    counted.update(np.zeros(511), np.arange(-255, 256))
    histogram = of_steps(counted)
    assert len(histogram.counts) == 256 and len(histogram.edges) == 257
    assert (histogram.edges[0], histogram.edges[1]) == (-255.5, -253.5)
    assert sum(histogram.counts) == 511
