"""What TensorFlow Lite Micro computes in its own way, written in ops that it computes as LiteRT."""

from dataclasses import replace

import numpy as np
import pytest
from support.artifacts import write_tflite
from support.integer_networks import in_integers
from support.litert import REFERENCE, run
from support.one_op import assert_equals_litert, random_input, random_inputs
from support.recurrent import recurrent_graph, recurrent_inputs

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Exp, FullyConnected, Gru, Log, NotEqual, ReduceAny, Relu6, Select
from edgenn.ir.tensor import Quantization
from edgenn.lowering.micro import for_micro
from edgenn.passes import with_batch
from edgenn.runners import LiteRTReferenceRunner
from edgenn.runners.tflite_micro import TfliteMicroRunner

BATCH, DEPTH, UNITS = 40, 23, 14
RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def runner():
    pytest.importorskip("tflite_micro", reason="edgenn targets install tflite-micro")
    with TfliteMicroRunner() as opened:
        yield opened


def quantized(builder: GraphBuilder, name: str, scale: float, zero_point: int = 0) -> None:
    parameters = Quantization.per_tensor(scale, zero_point)
    builder.tensors[name] = builder.tensor(name).with_(quantization=parameters)


def dense_graph(shape, dtype: str = "int8", activation=Activation.NONE) -> Graph:
    """A dense layer whose sums are scaled by about 1/40, where double rounding shows."""
    builder = GraphBuilder("dense")
    x = builder.input("x", shape, dtype)
    quantized(builder, x, 0.05, -3 if dtype == "int8" else 0)
    scales = RNG.uniform(0.01, 0.02, UNITS)
    weights = random_input(RNG, (UNITS, DEPTH), "int8")
    bias = RNG.integers(-2000, 2000, UNITS, "int32" if dtype == "int8" else "int64")
    inputs = [
        x,
        builder.constant("dense/kernel", weights, Quantization.per_channel(scales, 0)),
        builder.constant("dense/bias", bias, Quantization.per_channel(scales * 0.05, 0)),
    ]
    y = builder.add(FullyConnected(activation), inputs, "dense")
    quantized(builder, y, 0.03 if dtype == "int8" else 1.1, 5 if dtype == "int8" else 0)
    return builder.finish({"y": y})


def real(graph: Graph, stored):
    """Inputs as runners take them, outputs as they give them."""
    return graph.tensors["x"].quantization.dequantize(stored)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("shape", [(None, 23), (None, 3, 23), (None, 2, 3, 23), (1, 2, 1, 2, 23)])
def test_dense_layers_in_integers_become_convolutions(dtype, shape):
    graph = for_micro(dense_graph(shape, dtype))
    kinds = {op.kind for op in graph.ops}
    assert kinds == ({"conv_2d"} if len(shape) == 4 else {"reshape", "conv_2d"})
    inputs = random_inputs(graph, RNG, BATCH)
    assert_equals_litert(graph, inputs)
    before = run(dense_graph(shape, dtype), inputs)["y"]
    assert run(graph, inputs)["y"].shape == before.shape


def test_they_keep_their_activation_and_share_their_weights():
    builder = GraphBuilder("twice")
    for name, tensor in dense_graph((1, DEPTH)).tensors.items():
        builder.tensors[name] = tensor
    builder.inputs["x"] = "x"
    outputs = {}
    for copy in ("a", "b"):
        dense = FullyConnected(Activation.RELU)
        outputs[copy] = builder.add(dense, ["x", "dense/kernel", "dense/bias"], copy)
        quantized(builder, outputs[copy], 0.03, 5)
    graph = for_micro(builder.finish(outputs))
    convolutions = [op for op in graph.ops if op.kind == "conv_2d"]
    assert len({op.inputs[1] for op in convolutions}) == 1
    assert {op.operator.activation for op in convolutions} == {Activation.RELU}
    assert_equals_litert(graph, random_inputs(graph, RNG))


@pytest.mark.parametrize("shape", [(1, 23), (1, 3, 23)])
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_then_both_runtimes_give_the_same(tmp_path, runner, dtype, shape):
    graph = dense_graph(shape, dtype)
    x = random_input(RNG, (200, *shape[1:]), dtype)
    results = {}
    for name, version in (("dense", graph), ("convolution", for_micro(graph))):
        path = write_tflite(version, tmp_path, f"{name}.tflite")
        ours = runner.run(path, {"x": real(graph, x)}).outputs["y"]
        output = graph.tensors["dense"].quantization
        theirs = [run(version, {"x": x[i : i + 1]}, REFERENCE)["y"] for i in range(len(x))]
        results[name] = np.abs(ours - output.dequantize(np.concatenate(theirs))).max()
    assert results["dense"] > 0  # what the rule is for; a release that has none can do without it
    assert results["convolution"] == 0


def test_float_dense_layers_stay():
    builder = GraphBuilder("float")
    x = builder.input("x", (None, DEPTH))
    weights = builder.constant("w", RNG.normal(size=(UNITS, DEPTH)).astype(np.float32))
    graph = builder.finish({"y": builder.add(FullyConnected(), [x, weights], "y")})
    assert for_micro(graph).ops == graph.ops


def clamp_graph(scale: float, zero_point: int) -> Graph:
    builder = GraphBuilder("clamp")
    x = builder.input("x", (1, 256), "int8")
    quantized(builder, x, 0.11, 10)
    y = builder.add(Relu6(), [x], "y")
    quantized(builder, y, scale, zero_point)
    return builder.finish({"y": y})


@pytest.mark.parametrize(
    ("scale", "zero_point", "kind"),
    [(6 / 255, -128, "relu"), (0.01, -128, "relu"), (0.11, 10, "relu6"), (0.05, -128, "relu6")],
)
def test_a_relu6_that_its_output_implies(scale, zero_point, kind):
    graph = for_micro(clamp_graph(scale, zero_point))
    assert [op.kind for op in graph.ops] == [kind]
    x = {"x": np.arange(-128, 128, dtype=np.int8).reshape(1, 256)}
    np.testing.assert_array_equal(run(graph, x)["y"], run(clamp_graph(scale, zero_point), x)["y"])


@pytest.mark.parametrize("keep_dims", [False, True])
def test_any_is_not_all_not(tmp_path, runner, keep_dims):
    builder = GraphBuilder("any")
    x = builder.input("x", (1, 4, 3), "bool")
    y = builder.add(ReduceAny((1,), keep_dims), [x], "y")
    graph = builder.finish({"y": y})
    rewritten = for_micro(graph)
    assert "reduce_any" not in {op.kind for op in rewritten.ops}
    samples = RNG.random((64, 4, 3)) < 0.2
    outputs = runner.run(write_tflite(rewritten, tmp_path), {"x": samples}).outputs["y"]
    np.testing.assert_array_equal(outputs, samples.any(axis=1, keepdims=keep_dims))


def test_truths_out_of_tables(tmp_path, runner):
    builder = GraphBuilder("pad")
    x = builder.input("x", (None, 16))
    zero = builder.constant("zero", np.float32(0))
    is_data = builder.add(NotEqual(), [x, zero], "is_data")
    other = builder.constant("other", np.full((1, 16), 0.5, np.float32))
    graph = builder.finish({"y": builder.add(Select(), [is_data, x, other], "y")})
    samples = {"x": RNG.normal(size=(100, 16)).astype(np.float32)}
    samples["x"][RNG.random((100, 16)) < 0.4] = 0
    integer = with_batch(for_micro(in_integers(graph, samples, "auto")), 1)
    assert "elementwise_function" in {op.kind for op in integer.ops}
    path = write_tflite(integer, tmp_path)
    ours, theirs = (engine.run(path, samples) for engine in (runner, LiteRTReferenceRunner()))
    np.testing.assert_array_equal(ours.outputs["y"], theirs.outputs["y"])
    assert (ours.outputs["y"][samples["x"] == 0] > 0.4).all()


@pytest.mark.parametrize("form", ["loop", "unrolled"])
@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_recurrent_layers_are_the_same_in_both_runtimes(tmp_path, runner, form, scheme):
    graph = recurrent_graph(Gru(units=6), steps=7)
    samples = recurrent_inputs(graph, batch=100, steps=7)
    integer = with_batch(for_micro(in_integers(graph, samples, form, scheme, "int16")), 1)
    path = write_tflite(integer, tmp_path)
    ours = runner.run(path, samples).outputs
    theirs = LiteRTReferenceRunner().run(path, samples).outputs
    assert theirs.keys() == {"sequence", "h"}
    for name, expected in theirs.items():
        np.testing.assert_array_equal(ours[name], expected)


@pytest.mark.parametrize(("operator", "scale"), [(Exp(), 0.05), (Log(), 0.02)])
def test_functions_of_int8(tmp_path, runner, operator, scale):
    """Every stored number: the table holds what LiteRT's own kernel gives."""
    builder = GraphBuilder("function")
    x = builder.input("x", (1, 256), "int8")
    quantized(builder, x, scale, -128)  # the logarithm takes positive numbers
    y = builder.add(operator, [x], "y")
    quantized(builder, y, 0.02, 10)
    graph = builder.finish({"y": y})
    stored = np.arange(-127, 128, dtype=np.int8)
    stored = np.concatenate([stored, stored[:1]])[None]
    rewritten = for_micro(graph)
    folder = tmp_path / "micro"
    folder.mkdir()
    plain = LiteRTReferenceRunner().run(write_tflite(graph, tmp_path), {"x": real(graph, stored)})
    micro = runner.run(write_tflite(rewritten, folder), {"x": real(graph, stored)})
    np.testing.assert_array_equal(micro.outputs["y"], plain.outputs["y"])


def test_a_dense_layer_of_a_constant(tmp_path, runner):
    """The first state of a model whose batch is fixed: no RESHAPE of constants."""
    plain = dense_graph((1, DEPTH))
    (op,) = plain.ops
    builder = GraphBuilder.from_graph(plain)
    parameters = builder.tensor("x").quantization
    state = builder.constant("state", random_input(RNG, (1, DEPTH), "int8"), parameters)
    builder.ops.append(op)
    builder.ops.append(replace(op, name="of_state", inputs=(state, *op.inputs[1:]), outputs=("z",)))
    builder.tensors["z"] = builder.tensor(op.output).with_(name="z")
    graph = for_micro(builder.finish({"y": op.output, "z": "z"}))
    constants = {name for name, tensor in graph.tensors.items() if tensor.data is not None}
    for entry in graph.ops:
        if entry.kind == "reshape":
            assert entry.inputs[0] not in constants
    stored = random_input(RNG, (1, DEPTH), "int8")
    path = write_tflite(graph, tmp_path)
    results = [r.run(path, {"x": real(graph, stored)}) for r in (runner, LiteRTReferenceRunner())]
    for name in ("y", "z"):
        np.testing.assert_array_equal(*(result.outputs[name] for result in results))
