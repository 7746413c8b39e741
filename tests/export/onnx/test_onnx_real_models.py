"""Published models as ONNX: float results, and integers in ONNX Runtime from end to end."""

from collections import Counter
from functools import cache

import numpy as np
import onnx
import pytest
from support.onnx_files import checked, kinds, session
from support.real_models import REAL_MODELS, real

from edgenn.compiler import calibrated, graph_of, quantized
from edgenn.frontend.loading import load_model
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.quantization.schemes import Scheme

SAMPLES = 20
INTEGER = {
    "QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearAdd", "QGemm", "QLinearSoftmax",
    "QLinearGlobalAveragePool", "MaxPool", "NhwcMaxPool", "Transpose", "Reshape", "Squeeze",
}  # fmt: skip
"""MaxPool and what only moves values work on the integers themselves."""
MODELS = pytest.mark.parametrize("name", REAL_MODELS)


@cache
def float_graph(name: str) -> Graph:
    return graph_of(load_model(real(REAL_MODELS[name].file)).model)


def results(graph: Graph, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The graph's and ONNX Runtime's output for real inputs, as real numbers."""
    ((public, name),) = graph.inputs.items()
    (output,) = graph.outputs.values()
    tensor = graph.tensors[name]
    stored = x if tensor.quantization is None else tensor.quantization.quantize(x, tensor.dtype)
    ours = evaluate(graph, {public: stored}, keep={output})[output]
    if (quantization := graph.tensors[output].quantization) is not None:
        ours = quantization.dequantize(ours)
    return ours, session(checked(graph)).run(None, {public: x})[0]


@MODELS
@pytest.mark.parametrize("scheme", [Scheme.FLOAT32, Scheme.FLOAT16, Scheme.DYNAMIC])
def test_float(name, scheme):
    graph = quantized(float_graph(name), scheme)
    ours, theirs = results(graph, REAL_MODELS[name].evaluation()[:SAMPLES])
    np.testing.assert_allclose(theirs, ours, atol=1e-5)
    assert kinds(checked(graph))["Transpose"] <= 2


@MODELS
def test_int8(name, tmp_path):
    """ONNX Runtime and LiteRT round differently by one step in every layer."""
    model = REAL_MODELS[name]
    (public,) = float_graph(name).inputs
    samples = {public: model.calibration()[:SAMPLES]}
    calibration = calibrated(float_graph(name), samples, [Scheme.INT8])
    graph = quantized(float_graph(name), Scheme.INT8, calibration[Scheme.INT8])
    ours, theirs = results(graph, model.evaluation()[:SAMPLES])
    assert np.abs(theirs - ours).max() < 0.1
    assert np.abs(theirs - ours).mean() < 0.005
    assert np.mean(theirs.argmax(-1) == ours.argmax(-1)) >= 0.95
    session(checked(graph), tmp_path / "optimized.onnx")
    nodes = onnx.load(tmp_path / "optimized.onnx").graph.node
    assert set(Counter(node.op_type for node in nodes)) <= INTEGER
