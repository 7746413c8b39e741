"""What an .onnx file says of itself: names, types, bytes, sizes, and what is refused."""

from dataclasses import dataclass

import numpy as np
import onnx
import pytest
from support.one_op import one_op, random_inputs
from support.onnx_files import checked, kinds, run, session

from edgenn.errors import UnsupportedError
from edgenn.export.onnx.exporter import IR_VERSION, OPSET, to_onnx
from edgenn.export.onnx.serialization import varint
from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator, TensorType
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.quantization.weights import to_dynamic, to_float16


def small_net(outputs: dict[str, str] | None = None) -> Graph:
    """A convolution and a dense layer of random weights."""
    rng = np.random.default_rng(0)
    builder = GraphBuilder("small")
    x = builder.input("image", (None, 8, 8, 4))
    kernel = builder.constant("block/conv/kernel", rng.standard_normal((32, 3, 3, 4), np.float32))
    y = builder.add(ops.Conv2D(), [x, kernel], "block/conv")
    y = builder.add(ops.Mean((1, 2)), [y], "pool")
    weights = builder.constant("head/kernel", rng.standard_normal((24, 32), np.float32))
    builder.add(ops.FullyConnected(), [y, weights], "head")
    return builder.finish(outputs or {"head": "head"})


def parsed(graph: Graph) -> onnx.ModelProto:
    return onnx.load_from_string(checked(graph))


def test_versions_and_producer():
    model = parsed(small_net())
    assert model.producer_name == "edgenn"
    assert model.ir_version == IR_VERSION == 10
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert model.graph.name == "small"


def test_same_graph_same_bytes():
    assert to_onnx(small_net()) == to_onnx(small_net())


def test_names_of_layers_are_names_of_values():
    model = parsed(small_net())
    values = {name for node in model.graph.node for name in node.output}
    constants = {constant.name for constant in model.graph.initializer}
    assert {"block/conv", "pool", "head"} <= values
    assert {"block/conv/kernel", "head/kernel"} <= constants
    assert len({node.name for node in model.graph.node}) == len(model.graph.node)


@pytest.mark.parametrize(
    "outputs",
    [
        {"head": "head"},
        {"probability": "head"},
        {"block/conv": "block/conv", "head": "head"},
        {"pool": "head", "head": "pool"},
        {"a": "head", "b": "head", "same": "image"},
    ],
    ids=str,
)
def test_public_names(outputs):
    graph = small_net(outputs)
    inputs = random_inputs(graph, np.random.default_rng(0))
    ours, theirs = evaluate(graph, inputs), run(graph, inputs)
    for public, name in outputs.items():
        np.testing.assert_allclose(theirs[public], ours[name], atol=1e-5)


def test_an_output_called_like_an_input_is_refused():
    with pytest.raises(UnsupportedError, match="image"):
        to_onnx(small_net({"image": "head"}))


def test_open_dimensions():
    graph = one_op(ops.Relu(), [Tensor("x", (None, None, 3))], [None])
    engine = session(checked(graph))
    assert engine.get_inputs()[0].shape == ["batch", "x_dim_1", 3]
    assert engine.get_outputs()[0].shape == ["batch", "y0_dim_1", 3]


def test_weights_are_written_once():
    rng = np.random.default_rng(0)
    builder = GraphBuilder("shared")
    x = builder.input("x", (None, 8, 8, 4))
    kernel = builder.constant("kernel", rng.standard_normal((4, 1, 1, 4), np.float32))
    y = builder.add(ops.Conv2D(), [x, kernel], "a")
    y = builder.add(ops.Conv2D(), [y, kernel], "b")
    model = parsed(builder.finish({"y": y}))
    assert [constant.name for constant in model.graph.initializer] == ["kernel"]


def test_float16_weights():
    graph = to_float16(small_net())
    inputs = random_inputs(graph, np.random.default_rng(0))
    np.testing.assert_allclose(
        run(graph, inputs)["head"], evaluate(graph, inputs)["head"], atol=1e-4
    )
    sizes = {c.name: c.data_type for c in parsed(graph).graph.initializer}
    assert sizes["block/conv/kernel"] == sizes["head/kernel"] == onnx.TensorProto.FLOAT16
    assert kinds(to_onnx(graph))["Transpose"] == 1


def test_dynamic_weights():
    graph = to_dynamic(small_net())
    inputs = random_inputs(graph, np.random.default_rng(0))
    np.testing.assert_allclose(
        run(graph, inputs)["head"], evaluate(graph, inputs)["head"], atol=1e-4
    )
    assert len(to_onnx(graph)) < len(to_onnx(small_net())) / 2


@pytest.mark.parametrize("rank", [2, 3, 4])
def test_dynamic_dense_is_computed_in_float(rank):
    """ONNX Runtime would round the inputs of a MatMul with integer weights to 8 bits."""
    rng = np.random.default_rng(0)
    builder = GraphBuilder("dense")
    x = builder.input("x", (*[None] * (rank - 1), 64))
    weights = builder.constant("w", rng.standard_normal((32, 64), np.float32))
    y = builder.add(ops.FullyConnected(), [x, weights], "y")
    graph = to_dynamic(builder.finish({"y": y}))
    inputs = random_inputs(graph, rng)
    np.testing.assert_allclose(run(graph, inputs)["y"], evaluate(graph, inputs)["y"], atol=1e-4)


def test_quantised_borders_are_float():
    quantization = Quantization.per_tensor(0.1, 3)
    x = Tensor("x", (None, 3), "int8", quantization)
    engine = session(checked(one_op(ops.Reverse((1,)), [x], [quantization])))
    assert [node.type for node in engine.get_inputs()] == ["tensor(float)"]
    values = np.array([[-99.0, 0.26, 99.0]], np.float32)
    (result,) = engine.run(None, {"x": values})
    np.testing.assert_allclose(result, [[12.4, 0.3, -13.1]], atol=1e-6)


def test_unknown_operator_is_refused():
    @dataclass(frozen=True)
    class Unknown(Operator):
        def infer(self, inputs):
            return (TensorType(inputs[0].shape, inputs[0].dtype),)

    graph = one_op(Unknown(), [Tensor("x", (1, 2))], [None])
    graph = graph.with_(
        ops=(
            Op(
                "path/of/layer",
                *[getattr(graph.ops[0], f) for f in ("operator", "inputs", "outputs")],
            ),
        )
    )
    with pytest.raises(UnsupportedError, match="path/of/layer"):
        to_onnx(graph)


def test_varint():
    assert varint(0) == b"\0"
    assert varint(300) == b"\xac\x02"
    assert varint(2**31 - 1) == b"\xff\xff\xff\xff\x07"
