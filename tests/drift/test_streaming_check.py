"""Streams against whole sequences, samples against themselves: on LiteRT and ONNX Runtime."""

from contextlib import contextmanager
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers
from support.forgetful import UnresetRunner
from support.targets import cpu_targets

from edgenn import check, convert
from edgenn.data import dataset
from edgenn.drift import streaming
from edgenn.drift.streaming import check_streams, relative
from edgenn.runners.protocol import Message

DATA = np.random.default_rng(2).normal(size=(10, 6, 3)).astype(np.float32)


def model_of(layer):
    keras.utils.set_random_seed(3)
    x = keras.Input((None, 3), name="x")
    return keras.Model(x, layers.Dense(2, name="y")(layer(x)))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Form → bundle of one recurrent layer, float32 and int8."""
    folder = tmp_path_factory.mktemp("streams")
    made = {"fused": layers.LSTM(5, name="rnn", return_sequences=True)}
    made |= {form: layers.GRU(5, name="rnn", return_sequences=True) for form in ("step", "loop")}
    return {
        form: convert(
            model_of(layer), folder / form, quantize=("float32", "int8"), calibration=DATA,
            rnn=form, reference=DATA,
            formats=("tflite",) if form == "fused" else ("tflite", "onnx"),
        )
        for form, layer in made.items()
    }  # fmt: skip


@pytest.mark.parametrize("form", ["step", "loop", "fused"])
def test_healthy_files_pass(bundles, form):
    data = dataset({"x": DATA})
    found = check_streams(bundles[form], data, cpu_targets()[: 2 if form == "fused" else 3])
    assert len(found) == (4 if form == "fused" else 6)
    for stream in found:
        assert stream.passed and not stream.finding
        assert stream.max_difference <= streaming.TOLERANCE
        assert stream.chunks == ((1, 2, 3, 5, 6) if form == "step" else ())


def test_a_state_that_is_not_reset(bundles):
    """LiteRT itself, without the reset between samples that its variables need."""
    (target,) = cpu_targets()[1:2]
    found = check_streams(
        bundles["fused"], dataset({"x": DATA}), [replace(target, runner=UnresetRunner())]
    )
    assert [stream.artifact for stream in found] == list(bundles["fused"].artifacts)
    for stream in found:
        assert not stream.passed and stream.max_difference > 1e-3
        assert "its state is not reset: a sample twice in a row" in stream.finding


def test_a_state_that_a_sample_before_leaves_behind(bundles, monkeypatch):
    """The last sample runs once only: what differs is what came before it."""
    (target,) = cpu_targets()[1:2]
    trial_of = streaming.trial_of

    def forward_once(*arguments):
        trial = trial_of(*arguments)
        trial.inputs = {"x": np.concatenate([DATA[:3], np.zeros_like(DATA[:1])])}
        compare = trial.compare
        trial.compare = lambda what, *rest: "twice" not in what and compare(what, *rest)
        return trial

    monkeypatch.setattr(streaming, "trial_of", forward_once)
    found = check_streams(
        bundles["fused"], dataset({"x": DATA}), [replace(target, runner=UnresetRunner())]
    )
    assert found and all("samples in reverse order" in stream.finding for stream in found)


def target_with(change):
    """LiteRT, what it answers to messages of samples changed."""
    (target,) = cpu_targets()[1:2]
    start = target.runner.start

    class Changed:
        def __init__(self, process):
            object.__setattr__(self, "process", process)

        def __getattr__(self, name):
            return getattr(self.process, name)

        def __setattr__(self, name, value):
            setattr(self.process, name, value)

        def ask(self, message=None):
            answer = self.process.ask(message)
            if message is None or "run" not in message.values:
                return answer
            arrays = {n: change(message.values["chunk"], a) for n, a in answer.arrays.items()}
            return Message(answer.values, arrays)

    @contextmanager
    def starting():
        with start() as process:
            yield Changed(process)

    target.runner.start = starting
    return target


def test_chunks_that_give_something_else(bundles):
    target = target_with(lambda chunk, outputs: outputs + np.float32(0.01 * (chunk == 3)))
    found = check_streams(bundles["step"], dataset({"x": DATA}), [target])
    assert len(found) == 2
    for stream in found:
        assert not stream.passed
        assert stream.finding.startswith("in chunks of 3 steps instead of whole sequences")
        assert 0 < stream.max_difference < 1


def test_integers_have_to_be_equal(bundles):
    """Half the tolerance: a float file may have it, a file whose output is integers may not."""

    def nudged(chunk, outputs):
        return outputs + np.float32(0.5 * streaming.TOLERANCE * np.ptp(outputs)) * (chunk == 1)

    target = target_with(nudged)
    bundle = bundles["step"]
    artifacts = tuple(
        replace(
            artifact,
            outputs=tuple(
                replace(info, scale=0.1 if artifact.scheme == "int8" else None)
                for info in artifact.outputs
            ),
        )
        for artifact in bundle.manifest.artifacts
    )
    told = replace(bundle, manifest=replace(bundle.manifest, artifacts=artifacts))
    passed = {s.artifact: s.passed for s in check_streams(told, dataset({"x": DATA}), [target])}
    assert {name.split(".")[1]: well for name, well in passed.items()} == {
        "float32": True,
        "int8": False,
    }


def test_a_failed_stream_fails_the_check(bundles, monkeypatch):
    report = check(bundles["step"].path, DATA, targets=("cpu-xnnpack",))
    assert report.exit_code == 0 and [stream.passed for stream in report.streaming] == [True, True]
    wrong = replace(report.streaming[0], passed=False, finding="in chunks of 1 step")
    monkeypatch.setattr(streaming, "check_streams", lambda *_: (wrong,))
    assert check(bundles["step"].path, DATA, targets=("cpu-xnnpack",)).exit_code == 1


def test_long_sequences_are_cut(bundles, monkeypatch):
    monkeypatch.setattr(streaming, "LONGEST", 4)
    found = check_streams(bundles["step"], dataset({"x": DATA}), cpu_targets()[2:])
    assert [stream.chunks for stream in found] == [(1, 2, 3, 4)] * 2


def test_relative_differences():
    nan = np.array([np.nan, 0, 4])
    assert relative(nan, nan) == 0
    assert relative(nan, np.array([1, 0, 4])) == np.inf
    assert relative(np.array([0.0, 4]), np.array([1.0, 4])) == 0.25
    assert relative(np.zeros(2), np.zeros(2)) == 0
    assert relative(np.zeros(2), np.zeros(3)) == np.inf
    assert relative(np.ones(2), np.full(2, 1.1)) == np.inf, "of a constant there is no range"
