"""Whole networks in int8: ONNX Runtime computes them in integers, near what the graph says."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from support.one_op import random_inputs
from support.onnx_files import checked, real_inputs, session, steps_apart

from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Activation, Padding
from edgenn.quantization.integer import quantize_integer
from edgenn.quantization.parameters import Range
from edgenn.quantization.schemes import Scheme

RELU, RELU6, NONE = Activation.RELU, Activation.RELU6, Activation.NONE
FLOAT_KERNELS = {
    "Conv",
    "FusedConv",
    "Gemm",
    "MatMul",
    "Add",
    "Mul",
    "Concat",
    "Softmax",
    "ReduceMean",
}


def network() -> Graph:
    """Residual branches, squeeze and excite, padding, concatenation, pooling, dense layers."""
    rng = np.random.default_rng(0)
    net = GraphBuilder("network")

    def weights(*shape):
        bound = 2 / np.sqrt(np.prod(shape[1:]))
        return net.constant("c", rng.uniform(-bound, bound, shape).astype(np.float32))

    def conv(x, channels, name, size=3, activation=NONE, padding=Padding.SAME, **how):
        depth = net.tensor(x).shape[-1]
        operator = ops.Conv2D(padding=padding, activation=activation, **how)
        return net.add(operator, [x, weights(channels, size, size, depth), weights(channels)], name)

    def dense(x, units, name):
        depth = net.tensor(x).shape[-1]
        return net.add(ops.FullyConnected(), [x, weights(units, depth), weights(units)], name)

    x = net.input("x", (None, 16, 16, 3))
    stem = conv(x, 16, "stem", strides=(2, 2), activation=RELU)
    a = conv(stem, 16, "a", activation=RELU6)
    b = conv(a, 16, "b")
    x = net.add(ops.Add(RELU), [stem, b], "residual")
    gate = net.add(ops.Mean((1, 2), keep_dims=True), [x], "squeeze")
    gate = net.add(ops.Logistic(), [conv(gate, 16, "excite", 1)], "gate")
    x = net.add(ops.Mul(), [x, gate], "gated")
    padded = net.add(ops.Pad(((0, 0), (0, 1), (0, 1), (0, 0))), [x], "padded")
    c = conv(padded, 8, "c", padding=Padding.VALID, strides=(2, 2))
    d = net.add(ops.MaxPool2D((2, 2), (2, 2)), [x], "d")
    x = net.add(ops.Concatenation(-1), [c, d], "joined")
    kernel = weights(1, 3, 3, 24)
    x = net.add(ops.DepthwiseConv2D(padding=Padding.SAME, activation=RELU), [x, kernel], "deep")
    pixels = net.add(ops.Reshape((-1, 16, 24)), [x], "pixels")
    tokens = net.add(ops.Mean((1,)), [dense(pixels, 12, "tokens")], "token")
    x = net.add(ops.Mean((1, 2)), [x], "pooled")
    x = net.add(ops.Concatenation(-1), [x, tokens], "features")
    x = net.add(ops.Softmax(), [dense(x, 10, "logits")], "probabilities")
    return net.finish({"logits": "logits", "probabilities": x})


def quantized(graph: Graph) -> Graph:
    values = evaluate(graph, random_inputs(graph, np.random.default_rng(1), batch=16))
    ranges = {name: Range.of(value) for name, value in values.items()}
    return quantize_integer(graph, Scheme.INT8, ranges)


def fused(content: bytes, folder: Path) -> Counter[str]:
    """What ONNX Runtime really runs."""
    path = folder / "optimized.onnx"
    session(content, path)
    return Counter(node.op_type for node in onnx.load(path).graph.node)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return quantized(network())


def test_results_are_near_integer_evaluation(graph):
    inputs = random_inputs(graph, np.random.default_rng(2), batch=8)
    for steps in steps_apart(graph, inputs).values():
        assert steps.max() <= 2.01
        assert steps.mean() < 0.5


def test_every_heavy_op_runs_in_integers(graph, tmp_path):
    kinds = fused(checked(graph), tmp_path)
    assert kinds["QLinearConv"] == 7
    assert kinds["QGemm"] == 1
    assert {"QLinearAdd", "QLinearMul", "QLinearConcat", "QLinearSoftmax"} <= set(kinds)
    assert not FLOAT_KERNELS & set(kinds)


def test_scales_are_those_of_the_graph(graph):
    """Of every activation, to the bit; zero points are 128 higher."""
    model = onnx.load_from_string(checked(graph))
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
    written = {
        (float(constants[node.input[1]]), int(constants[node.input[2]]))
        for node in model.graph.node
        if node.op_type == "QuantizeLinear"
    }
    expected = {
        (float(tensor.quantization.scale[0]), int(tensor.quantization.zero_point[0]) + 128)
        for tensor in graph.tensors.values()
        if tensor.quantization is not None and not tensor.is_constant
    }
    assert written == expected


def test_file_is_a_quarter_in_weights(graph):
    """Structure aside: one byte a weight instead of four."""

    def weights(content):
        constants = onnx.load_from_string(content).graph.initializer
        return sum(len(c.raw_data) for c in constants if len(c.dims) > 1)

    assert weights(checked(graph)) * 4 == weights(checked(network()))


def test_float_islands_stay_in_float():
    builder = GraphBuilder("island")
    x = builder.input("x", (None, 8))
    y = builder.add(ops.Sin(), [x], "sin")
    y = builder.add(ops.Mul(), [y, y], "y")
    graph = builder.finish({"y": y})
    values = evaluate(graph, random_inputs(graph, np.random.default_rng(0)))
    ranges = {name: Range.of(value) for name, value in values.items()}
    graph = quantize_integer(graph, Scheme.INT8, ranges, allow_float=True)
    steps = steps_apart(graph, random_inputs(graph, np.random.default_rng(1)))
    assert steps["y"].max() <= 1.01


def test_int16_is_near_integer_evaluation():
    values = evaluate(network(), random_inputs(network(), np.random.default_rng(1), batch=16))
    ranges = {name: Range.of(value) for name, value in values.items()}
    graph = quantize_integer(network(), Scheme.INT16X8, ranges)
    inputs = random_inputs(graph, np.random.default_rng(2))
    ours = evaluate(graph, inputs)
    theirs = session(checked(graph)).run(["logits"], real_inputs(graph, inputs))[0]
    logits = graph.tensors["logits"].quantization.dequantize(ours["logits"])
    assert np.abs(theirs - logits).max() < 1e-3 * np.ptp(logits)
