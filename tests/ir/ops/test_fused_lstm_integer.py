"""The integer LSTM against LiteRT's kernel, bit for bit."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fused_lstm import lstm_graph, weight_shapes
from support.litert import DEFAULT, REFERENCE, run
from support.one_op import random_input
from support.real_models import real
from support.shapes import generators

from edgenn.ir.evaluator import evaluate
from edgenn.ir.fixed_point_16 import sigmoid_table, tanh_table
from edgenn.ir.operator import IntegerInput
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.ir.ops.integer_lstm import CELL_EXPONENTS, cell_exponent
from edgenn.ir.tensor import Quantization, Tensor

NUMBERS = np.arange(-32768, 32768)
LARGEST_BIAS = 2**20
"""Stored; with the scales below no accumulator leaves 32 bits, where C leaves results open."""


def power_of_ten(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.float32(10 ** rng.uniform(low, high)))


def random_weights(
    rng: np.random.Generator, features: int, units: int, x: Quantization
) -> list[Tensor]:
    """Every stored weight, at a scale of its own for each matrix."""
    weights: list[Tensor] = []
    for name, shape in weight_shapes(features, units):
        if name.endswith("/bias"):
            kernel = weights[len(weights) - 8].quantization
            scale = float(np.float32(x.scale[0]) * kernel.scale[0])
            data = rng.integers(-LARGEST_BIAS, LARGEST_BIAS, shape).astype(np.int32)
            data >>= rng.integers(0, 20)
        else:
            scale = power_of_ten(rng, -4, -1.5)
            data = rng.integers(-127, 128, shape).astype(np.int8)
        weights.append(Tensor.constant(name, data, Quantization.per_tensor(scale)))
    return weights


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    generators,
    st.tuples(*[st.integers(1, n) for n in (3, 6, 5)]),
    st.integers(1, 6),
    st.sampled_from(CELL_EXPONENTS),
    st.sampled_from([0.0, 0.0, 0.3, 5.0, 100.0]),
)
def test_equals_litert(rng, shape, units, exponent, clip):
    x = Quantization.per_tensor(power_of_ten(rng, -3, 0), int(rng.integers(-128, 128)))
    output = Quantization.per_tensor(power_of_ten(rng, -4, -1), int(rng.integers(-128, 128)))
    weights = random_weights(rng, shape[2], units, x)
    graph = lstm_graph(FusedLstm(cell_clip=clip, cell_exponent=exponent), shape, weights, x, output)
    inputs = {"x": random_input(rng, shape, "int8")}
    ours = evaluate(graph, inputs)["y0"]
    for resolver in (REFERENCE, DEFAULT):
        np.testing.assert_array_equal(ours, run(graph, inputs, resolver)["y0"])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("exponent", [CELL_EXPONENTS[0], CELL_EXPONENTS[-1]])
def test_saturated_cells_equal_litert(sign: int, exponent: int):
    """Open input and forget gates: the cell state grows until int16 holds no more."""
    x, output = Quantization.per_tensor(1 / 64, 0), Quantization.per_tensor(1 / 127, 5)
    weights = []
    for name, shape in weight_shapes(2, 3):
        is_cell_bias = name == "cell/bias"
        fill = {"kernel": 1, "recurrent_kernel": 1, "bias": sign * 4000 if is_cell_bias else 4000}
        role = name.partition("/")[2]
        dtype = np.int32 if role == "bias" else np.int8
        scale = np.float32(1 / 64) * np.float32(1 / 8) if role == "bias" else 1 / 8
        data = np.full(shape, fill[role], dtype)
        weights.append(Tensor.constant(name, data, Quantization.per_tensor(scale)))
    shape = (2, 80, 2)
    graph = lstm_graph(FusedLstm(cell_exponent=exponent), shape, weights, x, output)
    inputs = {"x": random_input(np.random.default_rng(0), shape, "int8")}
    (op,) = graph.ops
    operands = [
        IntegerInput(inputs["x"] if t.data is None else t.data, t.quantization)
        for t in graph.operands(op)
    ]
    _, cells = op.operator.evaluate_integer_with_cells(operands, graph.results(op))
    assert np.all(cells[:, -1] == (32767 if sign > 0 else -32768))
    np.testing.assert_array_equal(evaluate(graph, inputs)["y0"], run(graph, inputs)["y0"])


def published_lstm() -> tuple[bytes, int, FusedLstm, list[Tensor], Tensor, Tensor]:
    """A file's only LSTM: the file, the index of its output, and it as an op of a graph."""
    content = real("tflm-mnist-lstm/trained_lstm_int8.tflite").read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    (main,) = model.subgraphs
    op = main.operators[0]

    def tensor(index: int, dtype: str) -> Tensor:
        written = main.tensors[index]
        quantization = Quantization.per_tensor(
            written.quantization.scale[0], int(written.quantization.zeroPoint[0])
        )
        name, shape = written.name.decode(), tuple(int(size) for size in written.shape)
        data = model.buffers[written.buffer].data
        if data is None or not len(data):
            return Tensor(name, shape, dtype, quantization)
        return Tensor(name, shape, dtype, quantization, data.view(dtype).reshape(shape))

    weights = [tensor(i, "int8") for i in op.inputs[1:9]]
    weights += [tensor(i, "int32") for i in op.inputs[12:16]]
    steps = main.tensors[op.inputs[19]].quantization.scale[0]
    lstm = FusedLstm(
        cell_clip=op.builtinOptions.cellClip, cell_exponent=round(float(np.log2(steps)))
    )
    output = op.outputs[0]
    return content, output, lstm, weights, tensor(op.inputs[0], "int8"), tensor(output, "int8")


@pytest.mark.parametrize("seed", range(3))
def test_a_published_model_is_evaluated_as_litert_runs_it(seed: int):
    content, output, lstm, weights, x, y = published_lstm()
    rng = np.random.default_rng(seed)
    # rows of bright strokes on black, as in the digits that the model was trained on
    image = np.where(rng.random(x.shape) < 0.2, rng.integers(-128, 128, x.shape), -128)
    image = image.astype(np.int8)
    engine = Interpreter(
        model_content=content,
        experimental_op_resolver_type=REFERENCE,
        experimental_preserve_all_tensors=True,
    )
    engine.allocate_tensors()
    engine.set_tensor(engine.get_input_details()[0]["index"], image)
    engine.invoke()
    graph = lstm_graph(lstm, x.shape, weights, x.quantization, y.quantization)
    ours = evaluate(graph, {"x": image})["y0"]
    np.testing.assert_array_equal(ours, engine.get_tensor(output))
    np.testing.assert_array_equal(ours, run(graph, {"x": image})["y0"])


def test_sigmoid_is_near_the_real_one():
    expected = 1 / (1 + np.exp(-NUMBERS / 2**12)) * 2**15
    assert np.abs(sigmoid_table() - expected).max() < 7


@pytest.mark.parametrize("integer_bits", range(7))
def test_tanh_is_near_the_real_one(integer_bits: int):
    expected = np.tanh(NUMBERS / 2 ** (15 - integer_bits)) * 2**15
    assert np.abs(tanh_table(integer_bits) - expected).max() < 13


@pytest.mark.parametrize(
    ("reach", "exponent"),
    [(0.0, -15), (1.0, -15), (1.001, -14), (7.9, -12), (8.0, -12), (60, -9), (1e9, -9)],
)
def test_cell_steps_are_the_finest_that_hold_the_range(reach: float, exponent: int):
    assert cell_exponent(reach) == exponent


def test_other_cell_steps_are_refused():
    with pytest.raises(ValueError, match="cell_exponent -8"):
        FusedLstm(cell_exponent=-8)
