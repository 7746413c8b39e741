"""Models with state: every run begins anew, and states have as many rows as the batch."""

from pathlib import Path

import numpy as np
import pytest
from support.artifacts import conv_graph, write_tflite
from support.fused_lstm import float_weights, lstm_graph, sequences

from edgenn.errors import UnsupportedError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Reshape
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.quantization.weights import to_float16
from edgenn.runtime import Session
from edgenn.runtime.litert import LiteRTEngine
from edgenn.runtime.tflite_file import Variable, read_tflite

ENGINES = ("litert", "litert-reference")


def stateful(batch: int | None, steps: int | None = 5) -> Graph:
    weights = float_weights(np.random.default_rng(0), 3, 4)
    return lstm_graph(FusedLstm(), (batch, steps, 3), weights)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_run_begins_with_states_of_zero(tmp_path: Path, engine: str):
    graph = stateful(1)
    session = Session(write_tflite(graph, tmp_path), engine=engine)
    x = sequences(np.random.default_rng(1), 3, 5, 3)
    expected = evaluate(graph, {"x": x})["y0"]
    for _ in range(2):
        np.testing.assert_allclose(session.run(x), expected, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_states_follow_an_open_batch(tmp_path: Path, engine: str):
    graph = stateful(None, None)
    session = Session(write_tflite(graph, tmp_path), engine=engine)
    for batch, steps in ((3, 5), (1, 5), (2, 7), (2, 7)):
        x = sequences(np.random.default_rng(batch), batch, steps, 3)
        np.testing.assert_allclose(session.run(x), evaluate(graph, {"x": x})["y0"], atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_float16_weights_outlive_another_batch(tmp_path: Path, engine: str):
    """LiteRT decodes them once, into memory that it lays out anew for states of another size."""
    weights = float_weights(np.random.default_rng(0), 20, 16, 0.3)
    graph = to_float16(lstm_graph(FusedLstm(), (None, 5, 20), weights))
    session = Session(write_tflite(graph, tmp_path), engine=engine)
    for batch in (40, 1, 3):
        x = sequences(np.random.default_rng(batch), batch, 5, 20)
        np.testing.assert_allclose(session.run(x), evaluate(graph, {"x": x})["y0"], atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_several_sequences_a_sample(tmp_path: Path, engine: str):
    """The op's batch is three times the model's."""
    builder = GraphBuilder("net")
    x = builder.add(Reshape((-1, 5, 3)), [builder.input("x", (None, 3, 5, 3))], "rows")
    weights = float_weights(np.random.default_rng(0), 3, 4)
    names = [builder.constant(tensor.name, tensor.data) for tensor in weights]
    y = builder.add(FusedLstm(), [x, *names], "y")
    graph = builder.finish({"y": y})
    path = write_tflite(graph, tmp_path)
    assert [v.rows for v in read_tflite(path).variables] == [3, 3]
    session = Session(path, engine=engine)
    for batch in (1, 2):
        data = sequences(np.random.default_rng(batch), batch, 3, 5, 3)
        np.testing.assert_allclose(session.run(data), evaluate(graph, {"x": data})["y"], atol=1e-6)


def test_a_number_of_sequences_that_the_batch_does_not_say(tmp_path: Path):
    builder = GraphBuilder("net")
    x = builder.add(Reshape((-1, 5, 3)), [builder.input("x", (None, None, 3))], "rows")
    weights = float_weights(np.random.default_rng(0), 3, 4)
    names = [builder.constant(tensor.name, tensor.data) for tensor in weights]
    graph = builder.finish({"y": builder.add(FusedLstm(), [x, *names], "y")})
    with pytest.raises(UnsupportedError, match=r"y: the number of sequences.*--rnn loop"):
        write_tflite(graph, tmp_path)


def test_a_file_names_its_variables(tmp_path: Path):
    variables = read_tflite(write_tflite(stateful(None), tmp_path)).variables
    assert [v.shape for v in variables] == [(None, 4), (None, 4)]
    assert all(isinstance(v, Variable) and v.index > 0 for v in variables)
    assert read_tflite(write_tflite(conv_graph(), tmp_path)).variables == ()


def test_models_without_state_pay_nothing(tmp_path: Path):
    engine = LiteRTEngine(write_tflite(conv_graph(), tmp_path))
    assert engine._invoke == engine._interpreter.invoke
