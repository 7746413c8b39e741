"""Products in float with int8 weights in LiteRT: exact for int8 inputs, nearly so for real ones."""

from collections import Counter

import numpy as np
import pytest
from support.litert import DEFAULT, REFERENCE, run
from support.recurrent import add_recurrent

from edgenn import compiler
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.grids import grids_of, with_grids
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Dequantize, FullyConnected, Lstm, Quantize
from edgenn.ir.stepping import step_of
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.lowering.recurrent.exact_products import with_exact_products
from edgenn.lowering.recurrent.forms import Form, lowered
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.quantization.border import with_open_float_border
from edgenn.quantization.parameters import quantize_weights, weight_scales
from edgenn.quantization.schemes import Scheme

KERNELS = pytest.mark.parametrize("kernels", [REFERENCE, DEFAULT], ids=["reference", "default"])
FEATURES = 40
GRID = Quantization.per_tensor(0.037, -11)
SHAPES = {
    "rows": (None, FEATURES),
    "fixed rows": (4, FEATURES),
    "sequences": (None, None, FEATURES),
    "fixed sequences": (4, 6, FEATURES),
}


def add_int8_weights(builder: GraphBuilder, name: str, outputs: int = 24) -> str:
    weights = np.random.default_rng(5).normal(size=(outputs, FEATURES)).astype(np.float32)
    scales = weight_scales(weights, 0, None, 1.0)
    quantization = Quantization.per_channel(scales, 0)
    return builder.constant(name, quantize_weights(weights, scales, 0), quantization)


def of_int8(shape, *, products: int = 1) -> Graph:
    """``products`` dense layers in float over an int8 input."""
    builder = GraphBuilder("net")
    x = builder.input("x", shape, "int8")
    builder.tensors[x] = Tensor(x, shape, "int8", GRID)
    real = builder.add(Dequantize(), [x], "x/float")
    bias = builder.constant("b", np.linspace(-1, 1, 24).astype(np.float32))
    outputs = {}
    for index in range(products):
        weights = add_int8_weights(builder, f"w{index}")
        outputs[f"y{index}"] = builder.add(
            FullyConnected(Activation.RELU), [real, weights, bias], f"y{index}"
        )
    return builder.finish(outputs)


def of_real(shape, grid: Quantization | None = GRID) -> Graph:
    """A dense layer in float over a float input; a grid says that rounding it matters."""
    builder = GraphBuilder("net")
    x = builder.input("x", shape)
    bias = builder.constant("b", np.linspace(-1, 1, 24).astype(np.float32))
    product = FullyConnected(Activation.RELU)
    graph = builder.finish(
        {"y": builder.add(product, [x, add_int8_weights(builder, "w"), bias], "y")}
    )
    return graph if grid is None else with_grids(graph, {"x": grid})


def filled(shape) -> tuple[int, ...]:
    return tuple(size or given for size, given in zip(shape, (4, 6, FEATURES), strict=False))


def integers(shape) -> np.ndarray:
    """Rows that use the whole grid, a part of it, one value, and nothing but zeros."""
    x = np.random.default_rng(1).integers(-128, 128, filled(shape)).astype(np.int8)
    x[0] //= 8
    x[1] = 77
    x[2] = GRID.zero_point[0]
    return x


def reals(shape) -> np.ndarray:
    x = np.random.default_rng(2).uniform(-4, 4, filled(shape)).astype(np.float32)
    x[0] *= 0.01
    x[1] = 0
    return x


def outputs_of(graph: Graph, x) -> dict[str, np.ndarray]:
    values = evaluate(graph, {"x": x})
    return {public: values[name] for public, name in graph.outputs.items()}


def rms(a, b) -> float:
    return float(np.sqrt(np.mean(np.square(a - b))))


@KERNELS
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_int8_inputs_are_not_rounded_again(shape, kernels):
    graph, x = of_int8(shape, products=2), integers(shape)
    exact = with_exact_products(graph)
    expected = outputs_of(graph, x)
    for result in (outputs_of(exact, x), run(exact, {"x": x}, kernels)):
        for name, y in expected.items():
            np.testing.assert_allclose(result[name], y, rtol=0, atol=1e-5 * np.abs(y).max())
    plain = run(graph, {"x": x}, kernels)
    assert rms(plain["y0"], expected["y0"]) > 1e-4 * np.abs(expected["y0"]).max()


@KERNELS
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_real_inputs_in_two_parts_are_closer_than_in_one(shape, kernels):
    graph, x = of_real(shape), reals(shape)
    parts = with_exact_products(graph)
    (expected,) = outputs_of(graph, x).values()
    (whole,), (cut,) = (run(g, {"x": x}, kernels).values() for g in (graph, parts))
    np.testing.assert_allclose(*outputs_of(parts, x).values(), expected, atol=1e-4)
    assert rms(cut, expected) < 0.02 * rms(whole, expected)


@KERNELS
def test_real_numbers_beyond_the_grid_are_still_close(kernels):
    """Calibration has not seen everything."""
    graph = of_real((None, FEATURES))
    x = 10 * reals((400, FEATURES))
    (expected,) = outputs_of(graph, x).values()
    (whole,), (cut,) = (
        run(g, {"x": x}, kernels).values() for g in (graph, with_exact_products(graph))
    )
    assert rms(cut, expected) < 1.1 * rms(whole, expected)


def test_each_part_is_made_once():
    graph = with_exact_products(of_int8((None, FEATURES), products=3))
    kinds = Counter(op.kind for op in graph.ops)
    assert kinds["pad"] == 2
    assert kinds["fully_connected"] == 3
    names = [name for op in graph.ops for name in op.outputs]
    assert len(names) == len(set(names))


def test_names_stay():
    for graph in (of_int8((None, FEATURES)), of_real((None, FEATURES))):
        exact = with_exact_products(graph)
        assert exact.inputs == graph.inputs
        assert exact.outputs == graph.outputs
        assert exact.ops[-1].name == graph.ops[-1].name


@pytest.mark.parametrize("graph", [of_int8, of_real])
def test_done_once(graph):
    exact = with_exact_products(graph((None, FEATURES)))
    assert with_exact_products(exact) is exact
    assert not grids_of(exact)


def test_nothing_to_do():
    graph = of_real((None, FEATURES), grid=None)
    assert with_exact_products(graph) is graph


def test_rounding_that_does_not_matter_is_left():
    """No grid: one product is enough."""
    builder = GraphBuilder("net")
    x = builder.input("x", (None, FEATURES))
    builder.add(FullyConnected(), [x, add_int8_weights(builder, "w")], "y")
    graph = with_grids(builder.finish({"y": "y"}), {"other": GRID})
    assert with_exact_products(graph).ops == graph.ops


def test_float_weights_need_nothing():
    builder = GraphBuilder("net")
    x = builder.input("x", (None, FEATURES))
    weights = builder.constant("w", np.ones((4, FEATURES), np.float32))
    builder.add(FullyConnected(), [x, weights], "y")
    graph = with_grids(builder.finish({"y": "y"}), {"x": GRID})
    assert with_exact_products(graph).ops == graph.ops


def test_16_bits_are_cut_in_two():
    """int16x8 with float gates: an int16 input has more than a row of 255 steps holds."""
    builder = GraphBuilder("net")
    x = builder.input("x", (None, FEATURES), "int16")
    builder.tensors[x] = Tensor(x, (None, FEATURES), "int16", Quantization.per_tensor(2e-4, 0))
    real = builder.add(Dequantize(), [x], "x/float")
    builder.add(FullyConnected(), [real, add_int8_weights(builder, "w")], "y")
    graph = with_grids(builder.finish({"y": "y"}), {real: GRID})
    stored = np.random.default_rng(3).integers(-20000, 20000, (4, FEATURES)).astype(np.int16)
    (expected,) = outputs_of(graph, stored).values()
    (whole,), (cut,) = (run(g, {"x": stored}).values() for g in (graph, with_exact_products(graph)))
    assert rms(cut, expected) < 0.02 * rms(whole, expected)


def two_lstms() -> tuple[Graph, np.ndarray]:
    """Two LSTMs and a dense layer in int8 with float gates, and data for them."""
    builder = GraphBuilder("net")
    x = builder.input("x", (None, None, 12))
    first, *_ = add_recurrent(builder, Lstm(units=24), x, scope="first")
    second, *_ = add_recurrent(builder, Lstm(units=24), first, scope="second", seed=1)
    weights = np.random.default_rng(2).normal(size=(12, 24)).astype(np.float32)
    y = builder.add(FullyConnected(), [second, builder.constant("w", weights)], "y")
    graph = builder.finish({"y": y})
    samples = np.random.default_rng(3).normal(size=(32, 9, 12)).astype(np.float32)
    seen = compiler.calibrated(graph, {"x": samples}, [Scheme.INT8])
    return compiler.quantized(graph, Scheme.INT8, seen[Scheme.INT8]), samples


def test_a_float_border_keeps_the_grid_of_its_inputs():
    graph, _ = two_lstms()
    grids = with_grids(graph, {"x/dequantized": GRID, "first/sequence/float": GRID})
    assert set(grids_of(with_open_float_border(grids))) == {"x", "first/sequence/float"}


@KERNELS
@pytest.mark.parametrize("border", ["int8", "float32"])
def test_a_stream_is_the_batch(border, kernels):
    graph, samples = two_lstms()
    if border == "float32":
        graph = with_open_float_border(graph)
    graph = with_exact_products(to_loops(graph))
    assert any(op.kind == "pad" for op in graph.ops)
    x = samples[:4]
    if border == "int8":
        quantization = graph.tensors[graph.inputs["x"]].quantization
        x = quantization.quantize(x, "int8")
    whole = run(lowered(graph, Form.LOOP), {"x": x}, kernels)["y"]
    step = lowered(graph, Form.STEP)
    states = {
        name: np.zeros((4, *step.tensors[tensor].shape[1:]), np.float32)
        for name, tensor in step.inputs.items()
        if name != "x"
    }
    following = {state.output: state.input for state in step_of(step).states}
    for index in range(x.shape[1]):
        results = run(step, {"x": x[:, index : index + 1], **states}, kernels)
        np.testing.assert_array_equal(results["y"][:, 0], whole[:, index])
        states = {following[name]: value for name, value in results.items() if name in following}


def test_a_product_that_is_also_quantised_keeps_both():
    builder = GraphBuilder("net")
    x = builder.input("x", (None, FEATURES))
    y = builder.add(FullyConnected(), [x, add_int8_weights(builder, "w")], "y")
    small = builder.add(Quantize("int8"), [y], "small")
    builder.tensors[small] = builder.tensors[small].with_(quantization=GRID)
    graph = with_grids(builder.finish({"y": y, "small": small}), {"x": GRID})
    exact = with_exact_products(graph)
    assert set(run(exact, {"x": reals((None, FEATURES))})) == {"y", "small"}
