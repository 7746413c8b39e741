"""The emulated HTP against ONNX Runtime on the CPU, and what it refuses."""

import numpy as np
import pytest
from support.artifacts import conv_graph, int8_conv_graph
from support.one_op import one_op
from support.recurrent import recurrent_graph

from edgenn.compiler import written
from edgenn.errors import ArtifactError, EngineError, UnavailableError, UnsupportedError
from edgenn.ir.ops import Gru, Relu
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.passes import with_batch
from edgenn.runners import OnnxRuntimeRunner
from edgenn.runners.onnxruntime_qnn import OnnxRuntimeQnnRunner, load, refused

X = np.random.default_rng(2).normal(size=(5, 4, 4, 2)).astype(np.float32)


def write_onnx(graph, folder):
    path = folder / "net.onnx"
    path.write_bytes(written(graph, "onnx"))
    return path


LOG = """
2026-11-25 [V:onnxruntime:, qnn.cc:1713 LogNodeSupport] Validation FAILED for 1 nodes:
\tOperator type: LSTM Node name: lstm_1/LSTM Node index: 1
\tREASON : QNN EP doesn't support non-default activations for LSTM.

2026-11-25 [V:onnxruntime:, qnn.cc:1713 LogNodeSupport] Validation PASSED for 1 nodes:
\tOperator type: Squeeze Node name: lstm_1 Node index: 2

2026-11-25 [V:onnxruntime:, qnn.cc:1713 LogNodeSupport] Validation FAILED for 1 nodes:
\tOperator type: DequantizeLinear Node name: w/duplicated_token_45 Node index: 813
\tREASON : no standalone DQ op with per-channel quantization

\tOperator type: DequantizeLinear Node name: w/duplicated_token_43 Node index: 812
\tREASON : no standalone DQ op with per-channel quantization

\tOperator type: DequantizeLinear Node name: v Node index: 7
\tREASON : no standalone DQ op with per-channel quantization
"""


def test_reasons_are_told_once():
    assert refused(LOG) == [
        "LSTM lstm_1/LSTM: QNN EP doesn't support non-default activations for LSTM",
        "DequantizeLinear w and 1 more: no standalone DQ op with per-channel quantization",
    ]
    assert refused("") == []


@pytest.fixture(scope="module")
def runner():
    try:
        load()
    except UnavailableError as error:
        pytest.skip(str(error))
    with OnnxRuntimeQnnRunner() as opened:
        yield opened


def test_float_is_what_the_cpu_computes(tmp_path, runner):
    path = write_onnx(conv_graph(1), tmp_path)
    result = runner.run(path, {"x": X})
    expected = OnnxRuntimeRunner().run(path, {"x": X}).outputs["y"]
    np.testing.assert_allclose(result.outputs["y"], expected, atol=1e-4)
    assert result.version.startswith("onnxruntime-qnn ")
    assert result.facts.adapter == "Hexagon HTP, emulated on this CPU"
    assert result.facts.software is True
    assert result.findings == () and result.warnings == ()


def test_int8_is_within_a_step_of_the_cpu(tmp_path, runner):
    graph = int8_conv_graph(1)
    path = write_onnx(graph, tmp_path)
    actual, expected = (
        engine.run(path, {"x": X * 20}).outputs["y"] for engine in (runner, OnnxRuntimeRunner())
    )
    step = float(graph.tensors[graph.outputs["y"]].quantization.scale[0])
    assert np.abs(actual - expected).max() <= step * 1.001


def test_int16_activations_run_there(tmp_path, runner):
    parameters = Quantization.per_tensor(0.001)
    x = Tensor("x", (1, 64), "int16", parameters)
    path = write_onnx(one_op(Relu(), [x], [parameters]), tmp_path)
    samples = np.linspace(-30, 30, 640).reshape(10, 64).astype(np.float32)
    outputs = runner.run(path, {"x": samples}).outputs["y0"]
    np.testing.assert_allclose(outputs, np.maximum(samples, 0), atol=0.0011)


def test_an_open_batch_is_refused(tmp_path, runner):
    path = write_onnx(conv_graph(), tmp_path)
    with pytest.raises(UnsupportedError, match=r"'x' is \(\?, 4, 4, 2\).*--batch 1"):
        runner.run(path, {"x": X})


def test_a_file_that_the_htp_cannot_finish_is_an_error(tmp_path, runner):
    path = write_onnx(with_batch(recurrent_graph(Gru(units=4), steps=5), 1), tmp_path)
    with pytest.raises((EngineError, UnsupportedError), match=r"GRU|QNN"):
        runner.run(path, {"x": np.ones((1, 5, 3), np.float32)})


@pytest.mark.parametrize("content", [b"", b"no model"])
def test_no_onnx_file(tmp_path, runner, content):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="not an ONNX file"):
        runner.run(path, {"x": X})
