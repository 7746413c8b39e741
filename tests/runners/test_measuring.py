"""Time and memory of one engine with one artifact."""

import numpy as np
import pytest
from support.artifacts import conv_graph, two_input_graph, write_crashing_tflite, write_tflite
from support.recurrent import recurrent_graph
from support.stepping import write_artifact

from edgenn.data.synthetic import random_samples
from edgenn.errors import DataError, EngineError
from edgenn.ir.ops import Lstm
from edgenn.runners import FakeRunner, LiteRTRunner, measuring
from edgenn.runners.measuring import Calls, measure

X = np.arange(5, dtype=np.float32)[:, None]


def samples(inputs):
    return random_samples(inputs, 3)


def fed(calls, runs, *, took_ms, runs_per_call=1, batch=1):
    """The samples of messages until so many runs are done."""
    given = []
    while runs > 0:
        part = calls.next(runs)["x"]
        given.append(part[:, 0].tolist())
        done = len(part) // batch * runs_per_call
        calls.took([took_ms] * done)
        runs -= done
    return given


def test_the_first_run_is_by_itself_and_samples_come_in_turn():
    assert fed(Calls({"x": X}, 1), 8, took_ms=1) == [[0], [1, 2, 3, 4, 0, 1, 2]]


def test_batches_are_filled():
    assert fed(Calls({"x": X}, 2), 3, took_ms=1, batch=2) == [[0, 1], [2, 3, 4, 0]]


def test_slow_runs_come_one_by_one():
    assert fed(Calls({"x": X}, 1), 3, took_ms=900) == [[0], [1], [2]]


def test_messages_are_small(monkeypatch):
    monkeypatch.setattr(measuring, "MESSAGE_BYTES", 2 * X[0].nbytes)
    assert fed(Calls({"x": X}, 1), 5, took_ms=1) == [[0], [1, 2], [3, 4]]


def test_a_sample_of_many_steps_is_many_runs():
    assert len(fed(Calls({"x": X}, 1), 20, took_ms=0.1, runs_per_call=10)) == 2


@pytest.mark.parametrize("batch", [None, 2])
def test_a_real_engine(tmp_path, batch):
    path = write_tflite(conv_graph(batch), tmp_path)
    seen = []
    result = measure(LiteRTRunner(), path, samples, 30, progress=lambda *step: seen.append(step))
    assert len(result.latencies_ms) == 30
    assert all(took > 0 for took in result.latencies_ms)
    assert result.facts.first_run_ms == result.latencies_ms[0]
    assert result.facts.load_ms > 0
    assert 0 < result.facts.peak_memory_bytes < 1 << 28
    assert result.version.startswith("ai-edge-litert") and result.findings == ()
    assert seen[0][1:] == (1, 30) and seen[-1] == (f"{path.name} on litert", 30, 30)


def test_several_inputs(tmp_path):
    path = write_tflite(two_input_graph(), tmp_path)
    assert len(measure(LiteRTRunner(), path, samples, 5).latencies_ms) == 5


def test_an_artifact_that_runs_one_step(tmp_path):
    path = write_artifact(recurrent_graph(Lstm(units=4), outputs=("sequence",)), tmp_path)
    result = measure(LiteRTRunner(), path, samples, 7, steps=True)
    assert len(result.latencies_ms) == 7

    def sequences(inputs):
        (given,) = random_samples(inputs, 3).values()
        return {inputs[0].name: np.repeat(given, 4, axis=1)}

    result = measure(LiteRTRunner(), path, sequences, 7, steps=True)
    assert len(result.latencies_ms) == 7


def test_the_memory_of_samples_is_hardly_in_it(tmp_path):
    """They lie in this process; the engine's gets a few at a time."""
    path = write_tflite(conv_graph(), tmp_path)
    large = np.zeros((200_000, 4, 4, 2), np.float32)
    few = measure(LiteRTRunner(), path, lambda _: {"x": large[:1]}, 20)
    many = measure(LiteRTRunner(), path, lambda _: {"x": large}, 20)
    assert many.facts.peak_memory_bytes < few.facts.peak_memory_bytes + (4 << 20) < large.nbytes


def test_failures_are_those_of_a_runner(tmp_path):
    with pytest.raises(EngineError, match=r"signal 11"):
        measure(LiteRTRunner(), write_crashing_tflite(tmp_path), samples, 2)
    path = write_tflite(conv_graph(), tmp_path)
    with pytest.raises(DataError, match="shape"):
        measure(LiteRTRunner(), path, lambda _: {"x": X}, 2)


def test_what_the_engine_says_and_outputs_that_are_no_numbers(tmp_path):
    (tmp_path / "any.tflite").touch()
    runner = FakeRunner(lambda given: {"y": given["x"] * np.nan}, stderr="WARNING: slow\n")
    result = measure(runner, tmp_path / "any.tflite", lambda _: {"x": X}, 9)
    assert result.warnings == ("WARNING: slow",)
    assert result.findings == ("output 'y': 1 of 1 values are NaN or infinite",)
    assert runner.starts == 1 and len(runner.artifacts) == 1
