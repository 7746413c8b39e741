"""Runners give whole sequences to artifacts that run one step."""

import numpy as np
import pytest
from support.artifacts import conv_graph, write_tflite
from support.recurrent import recurrent_graph
from support.stepping import write_artifact

from edgenn.errors import DataError, UsageError
from edgenn.ir.ops import Lstm
from edgenn.lowering.recurrent.forms import Form
from edgenn.runners import (
    FakeRunner,
    LiteRTReferenceRunner,
    LiteRTRunner,
    OnnxRuntimeRunner,
    default_runner,
)

X = np.random.default_rng(0).normal(size=(5, 7, 3)).astype(np.float32)
LAST = ("sequence", "h")
ENGINES = (LiteRTReferenceRunner, LiteRTRunner, OnnxRuntimeRunner)


def graph(batch=None, *, initial=False):
    return recurrent_graph(Lstm(units=4, initial=initial), batch=batch, outputs=LAST)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("chunk", [None, 1, 3, 7, 100])
def test_each_engine(tmp_path, engine, batch, chunk):
    kind = engine.suffix.removeprefix(".")
    loop = write_artifact(graph(), tmp_path, form=Form.LOOP, format_=kind)
    step = write_artifact(graph(batch), tmp_path, format_=kind)
    expected = engine().run(loop, {"x": X})
    assert expected.step_latency_ms is None
    result = engine().run(step, {"x": X}, chunk=chunk)
    assert list(result.outputs) == list(LAST)
    for name in LAST:
        np.testing.assert_allclose(result.outputs[name], expected.outputs[name], atol=1e-6)
    assert result.step_latency_ms is not None and result.latency_ms is not None
    assert 0 < result.step_latency_ms <= result.latency_ms * (batch or 1)


def test_states_to_be_given_are_data(tmp_path):
    rng = np.random.default_rng(1)
    data = {"x": X, **{name: rng.normal(size=(5, 4)).astype("float32") for name in ("h0", "c0")}}
    loop = write_artifact(graph(initial=True), tmp_path, form=Form.LOOP)
    step = write_artifact(graph(initial=True), tmp_path)
    inputs, outputs = LiteRTRunner().describe(step)
    assert [info.name for info in inputs] == ["x", "h0", "c0"]
    assert [info.name for info in outputs] == list(LAST)
    expected = LiteRTRunner().run(loop, data).outputs
    result = LiteRTRunner().run(step, data, chunk=2).outputs
    for name in LAST:
        np.testing.assert_allclose(result[name], expected[name], atol=1e-6)


def test_states_with_a_value_of_their_own_are_none(tmp_path):
    inputs, _ = LiteRTRunner().describe(write_artifact(graph(), tmp_path))
    assert [info.name for info in inputs] == ["x"]


def test_a_chunk_is_for_artifacts_of_one_step(tmp_path):
    path = write_tflite(conv_graph(), tmp_path)
    with pytest.raises(UsageError, match="whole sequences"):
        default_runner(path).run(path, {"x": np.zeros((1, 4, 4, 2), "float32")}, chunk=1)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 4), (5, 0, 3)])
def test_samples_that_do_not_fit(tmp_path, shape):
    step = write_artifact(graph(), tmp_path)
    with pytest.raises(DataError):
        LiteRTRunner().run(step, {"x": np.zeros(shape, np.float32)})


def test_a_fake_runner_takes_chunks(tmp_path):
    path = tmp_path / "any.tflite"
    path.touch()
    assert FakeRunner().run(path, {"x": X}, chunk=2).outputs["x"] is not None
