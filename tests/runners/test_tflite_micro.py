"""The microcontroller runtime against LiteRT's reference kernels, and what it refuses."""

import numpy as np
import pytest
from support.artifacts import conv_graph, int8_conv_graph, two_input_graph, write_tflite
from support.fused_lstm import float_weights, lstm_graph, sequences
from support.one_op import one_op

from edgenn.errors import ArtifactError, DataError, EngineError, UnsupportedError
from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops import Gelu, Logistic, Prelu, ReduceMax
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.runners import LiteRTReferenceRunner
from edgenn.runners.tflite_micro import TfliteMicroEngine, TfliteMicroRunner

pytest.importorskip("tflite_micro", reason="edgenn targets install tflite-micro")

X = np.random.default_rng(2).normal(size=(5, 4, 4, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def runner():
    with TfliteMicroRunner() as opened:
        yield opened


@pytest.mark.parametrize("batch", [None, 1])
def test_float_runs_sample_by_sample(tmp_path, runner, batch):
    graph = conv_graph(batch)
    result = runner.run(write_tflite(graph, tmp_path), {"x": X})
    expected = evaluate(conv_graph(), {"x": X})[graph.outputs["y"]]
    np.testing.assert_allclose(result.outputs["y"], expected, atol=1e-5)
    assert result.version.startswith("tflite-micro ")
    assert result.findings == () and result.warnings == ()


def test_int8_equals_the_reference_kernels(tmp_path, runner):
    path = write_tflite(int8_conv_graph(), tmp_path)
    samples = {"x": np.repeat(X, 40, axis=0) * np.linspace(1, 30, 200).reshape(-1, 1, 1, 1)}
    samples["x"] = samples["x"].astype(np.float32)
    ours, theirs = runner.run(path, samples), LiteRTReferenceRunner().run(path, samples)
    np.testing.assert_array_equal(ours.outputs["y"], theirs.outputs["y"])


def test_a_batch_that_is_fixed_is_run_as_a_whole(tmp_path, runner):
    graph = conv_graph(2)
    result = runner.run(write_tflite(graph, tmp_path), {"x": X})
    expected = evaluate(conv_graph(), {"x": X})[graph.outputs["y"]]
    np.testing.assert_allclose(result.outputs["y"], expected, atol=1e-5)


def test_several_inputs_and_outputs_go_by_name(tmp_path, runner):
    path = write_tflite(two_input_graph(), tmp_path)
    column = np.arange(1, 4, dtype=np.float32).reshape(3, 1, 1, 1)
    outputs = runner.run(path, {"left": column, "right": -column}).outputs
    np.testing.assert_array_equal(outputs["first"], column * 3)
    np.testing.assert_array_equal(outputs["second"], column * -2)


def test_the_arena_is_what_the_runtime_says(tmp_path, runner):
    path = write_tflite(conv_graph(), tmp_path)
    facts = runner.run(path, {"x": X}).facts
    activations = 4 * 4 * 4 * (2 + 3)  # of x and y, both of which live during the convolution
    assert activations < facts.arena_bytes < activations + 2000
    assert facts.flash_bytes == path.stat().st_size


def test_the_smallest_arena_does_and_a_smaller_one_does_not(tmp_path, runner):
    from tflite_micro.python.tflite_micro import runtime

    x = Tensor("x", (1, 16, 16, 4), "float32")  # larger than what setting up takes for a while
    path = write_tflite(one_op(Logistic(), [x], [None]), tmp_path)
    needed = runner.estimate(path).facts.arena_bytes
    alignment = 16  # of the arena's beginning, which is anywhere here
    model = path.read_bytes()
    runtime.Interpreter.from_bytes(model, arena_size=needed + alignment - 1)
    with pytest.raises(RuntimeError, match="failed to allocate"):
        runtime.Interpreter.from_bytes(model, arena_size=needed - alignment)


def test_more_memory_than_the_limit_is_refused(tmp_path):
    path = write_tflite(conv_graph(), tmp_path)
    needed = TfliteMicroRunner().estimate(path).facts.arena_bytes
    assert TfliteMicroRunner({"arena_bytes": needed}).run(path, {"x": X}).outputs
    with pytest.raises(EngineError, match=rf"needs {needed:,} bytes, the limit is {needed - 1:,}"):
        TfliteMicroRunner({"arena_bytes": needed - 1}).run(path, {"x": X})


def test_the_arena_grows_until_the_file_fits(tmp_path, monkeypatch):
    path = write_tflite(conv_graph(), tmp_path)
    monkeypatch.setattr("edgenn.runners.tflite_micro.FIRST_ARENA", 600)
    assert TfliteMicroEngine(path, {}).facts["arena_bytes"] > 600
    monkeypatch.setattr("edgenn.runners.tflite_micro.LARGEST_ARENA", 600)
    with pytest.raises(EngineError, match="allocate"):
        TfliteMicroEngine(path, {})


def test_states_begin_afresh_with_every_sample(tmp_path, runner):
    rng = np.random.default_rng(5)
    graph = lstm_graph(FusedLstm(), (1, 6, 3), float_weights(rng, 3, 4))
    path = write_tflite(graph, tmp_path)
    x = sequences(rng, 1, 6, 3)
    outputs = runner.run(path, {"x": np.repeat(x, 3, axis=0)}).outputs["y0"]
    np.testing.assert_array_equal(outputs[1], outputs[0])
    np.testing.assert_array_equal(outputs[2], outputs[0])
    np.testing.assert_allclose(outputs[:1], evaluate(graph, {"x": x})["y0"], atol=1e-5)


def test_an_op_that_is_missing_is_named(tmp_path, runner):
    path = write_tflite(one_op(Gelu(), [Tensor("x", (1, 4), "float32")], [None]), tmp_path)
    with pytest.raises(UnsupportedError, match=r"net.tflite: .* no kernel for GELU"):
        runner.run(path, {"x": np.ones((1, 4), np.float32)})


def test_what_a_kernel_refuses_is_told_in_its_words(tmp_path, runner):
    parameters = Quantization.per_tensor(0.1)
    x = Tensor("x", (1, 4), "int16", parameters)
    path = write_tflite(one_op(ReduceMax((1,)), [x], [parameters]), tmp_path)
    with pytest.raises(UnsupportedError, match="REDUCE_MAX: Only float32 and int8 types"):
        runner.run(path, {"x": np.ones((1, 4), np.float32)})


def test_sequences_of_open_length_are_refused(tmp_path, runner):
    weights = float_weights(np.random.default_rng(0), 3, 4)
    path = write_tflite(lstm_graph(FusedLstm(), (None, None, 3), weights), tmp_path)
    with pytest.raises(UnsupportedError, match=r"'x' is \(\?, \?, 3\).*fixed shapes"):
        runner.run(path, {"x": np.ones((1, 5, 3), np.float32)})


def test_a_crash_is_an_error_and_the_next_file_runs(tmp_path, runner):
    # its loop over seven dimensions is none: the runtime aborts
    x, alpha = Tensor("x", (1,) * 7, "float32"), Tensor.constant("a", np.ones((1,) * 6, np.float32))
    folder = tmp_path / "crash"
    folder.mkdir()
    with pytest.raises(EngineError, match="crashed"):
        runner.run(
            write_tflite(one_op(Prelu(), [x, alpha], [None]), folder), {"x": np.ones((1,) * 7)}
        )
    assert runner.run(write_tflite(conv_graph(), tmp_path), {"x": X}).outputs


def test_no_tflite_file(tmp_path, runner):
    path = tmp_path / "net.tflite"
    path.write_bytes(b"no model at all")
    with pytest.raises(ArtifactError, match="no TFL3"):
        runner.run(path, {"x": X})


def test_samples_of_another_shape(tmp_path, runner):
    path = write_tflite(conv_graph(), tmp_path)
    with pytest.raises(DataError, match="shape"):
        runner.run(path, {"x": X[..., :1]})
