"""Files with UNIDIRECTIONAL_SEQUENCE_LSTM."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st
from support.fused_lstm import float_weights, lstm_graph, sequences
from support.litert import DEFAULT, REFERENCE, run
from support.one_op import assert_equals_litert
from support.shapes import few, generators

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.ops.fused_lstm import FusedLstm, LstmActivation
from edgenn.ir.tensor import Array, Quantization, Tensor
from edgenn.quantization.fused_lstm import dynamic_weights, integer_weights, with_cell_range
from edgenn.quantization.parameters import Range, activation_quantization
from edgenn.quantization.weights import to_float16

FEATURES, UNITS, STEPS = 12, 16, 20


def the_op(graph: Graph) -> tuple[schema.ModelT, schema.SubGraphT, schema.OperatorT]:
    model = schema.ModelT.InitFromPackedBuf(to_tflite(graph), 0)
    (main,) = model.subgraphs
    return model, main, main.operators[-1]


def integer_graph(
    weights: list[Tensor], x: Array, lstm: FusedLstm | None = None
) -> tuple[Graph, Graph]:
    """The float graph and the integer one, calibrated on ``x``."""
    lstm = lstm or FusedLstm()
    real = lstm_graph(lstm, x.shape, weights)
    sequence, cells = lstm.evaluate_with_cells([x, *(w.data for w in weights)])
    input_, output = (
        activation_quantization(Range.of(values), "int8", symmetric=False)
        for values in (x, sequence)
    )
    lstm = with_cell_range(lstm, Range.of(cells))
    return real, lstm_graph(lstm, x.shape, integer_weights(weights, input_), input_, output)


def drift(real: Graph, integer: Graph, x: Array, resolver: Any = REFERENCE) -> float:
    """Root mean square error of the integer graph in LiteRT."""
    quantization = integer.tensors["x"].quantization
    result = run(integer, {"x": quantization.quantize(x, "int8")}, resolver)["y0"]
    error = integer.tensors["y0"].quantization.dequantize(result) - evaluate(real, {"x": x})["y0"]
    return float(np.sqrt(np.mean(error**2)))


@few
@given(
    generators,
    st.tuples(*[st.integers(1, n) for n in (3, 6, 5)]),
    st.integers(1, 6),
    st.sampled_from(LstmActivation),
    st.sampled_from([0.0, 0.5]),
)
def test_float_evaluation_equals_litert(rng, shape, units, activation, clip):
    weights = float_weights(rng, shape[2], units, 0.7)
    graph = lstm_graph(FusedLstm(activation, clip), shape, weights)
    inputs = {"x": sequences(rng, *shape)}
    assert_equals_litert(graph, inputs, REFERENCE)
    assert_equals_litert(graph, inputs, DEFAULT)


def test_float_evaluation_is_what_keras_computes():
    import keras

    layer = keras.layers.LSTM(UNITS, return_sequences=True, bias_initializer="random_normal")
    x = sequences(np.random.default_rng(0), 2, STEPS, FEATURES)
    expected = np.asarray(layer(x))
    weights = [
        Tensor.constant(f"w{n}", np.ascontiguousarray(part.T))
        for n, part in enumerate(
            part for whole in layer.get_weights() for part in np.split(whole, 4, axis=-1)
        )
    ]
    graph = lstm_graph(FusedLstm(), x.shape, weights)
    np.testing.assert_allclose(evaluate(graph, {"x": x})["y0"], expected, atol=2e-6)
    np.testing.assert_allclose(run(graph, {"x": x})["y0"], expected, atol=2e-6)


@pytest.mark.parametrize("resolver", [REFERENCE, DEFAULT])
def test_int8_weights_with_float_activations_are_close(resolver: Any):
    rng = np.random.default_rng(1)
    weights, x = float_weights(rng, FEATURES, UNITS, 0.3), sequences(rng, 2, STEPS, FEATURES)
    real = lstm_graph(FusedLstm(), x.shape, weights)
    hybrid = lstm_graph(FusedLstm(), x.shape, dynamic_weights(weights))
    error = run(hybrid, {"x": x}, resolver)["y0"] - evaluate(real, {"x": x})["y0"]
    assert np.sqrt(np.mean(error**2)) < 0.004
    # the weights' rounding is in the graph, that of the activations is not
    error = run(hybrid, {"x": x}, resolver)["y0"] - evaluate(hybrid, {"x": x})["y0"]
    assert np.abs(error).max() < 0.02


def test_float16_weights_pass_through_dequantize():
    rng = np.random.default_rng(2)
    weights, x = float_weights(rng, 16, UNITS, 0.3), sequences(rng, 2, STEPS, 16)
    real = lstm_graph(FusedLstm(), x.shape, weights)
    half = to_float16(real)
    assert [op.kind for op in half.ops] == [*["dequantize"] * 8, "fused_lstm"]
    assert_equals_litert(half, {"x": x})
    error = run(half, {"x": x})["y0"] - evaluate(real, {"x": x})["y0"]
    assert np.abs(error).max() < 2e-3
    assert len(to_tflite(half)) < 0.8 * len(to_tflite(real))


@pytest.mark.parametrize("spread", [0.1, 0.3, 1.0])
def test_integers_are_close_to_float(spread: float):
    rng = np.random.default_rng(3)
    weights, x = float_weights(rng, FEATURES, UNITS, spread), sequences(rng, 4, STEPS, FEATURES)
    real, integer = integer_graph(weights, x)
    span = float(np.ptp(evaluate(real, {"x": x})["y0"]))
    assert drift(real, integer, x) < 0.03 * span


def test_a_large_bias_does_not_overflow():
    rng = np.random.default_rng(4)
    weights, x = float_weights(rng, FEATURES, UNITS, 1e-6), sequences(rng, 2, STEPS, FEATURES)
    weights[8:] = [w.with_(data=w.data * np.float32(1e7)) for w in weights[8:]]
    real, integer = integer_graph(weights, x)
    assert drift(real, integer, x) < 0.02


def test_layout_in_integers():
    rng = np.random.default_rng(5)
    weights, x = float_weights(rng, FEATURES, UNITS), sequences(rng, 1, STEPS, FEATURES)
    _, integer = integer_graph(weights, x, FusedLstm(cell_clip=10.0))
    model, main, op = the_op(integer)
    assert (model.operatorCodes[0].version, len(op.inputs)) == (1, 24)
    assert [n for n, i in enumerate(op.inputs) if i < 0] == [9, 10, 11, 16, 17, 20, 21, 22, 23]
    names = [main.tensors[i].name.decode() for i in op.inputs if i >= 0]
    assert names == ["x", *(w.name for w in weights), "y0/hidden_state", "y0/cell_state"]

    hidden, cell = (main.tensors[i] for i in op.inputs[18:20])
    output, carrier = main.tensors[op.outputs[0]], main.tensors[op.intermediates[4]]
    assert len(op.intermediates) == 5
    for tensor in (hidden, carrier):
        assert tensor.type == schema.TensorType.INT8
        assert tensor.quantization.scale == output.quantization.scale
        assert tensor.quantization.zeroPoint == output.quantization.zeroPoint
    assert cell.type == schema.TensorType.INT16
    assert cell.quantization.scale == [2.0 ** integer.ops[0].operator.cell_exponent]
    assert [t.isVariable for t in main.tensors].count(True) == 2
    assert hidden.isVariable and cell.isVariable
    assert list(cell.shape) == list(hidden.shape) == [1, UNITS]

    options = op.builtinOptions
    assert options.fusedActivationFunction == schema.ActivationFunctionType.TANH
    assert (options.cellClip, options.timeMajor) == (10.0, False)
    assert not options.asymmetricQuantizeInputs


def test_layout_in_float_has_no_intermediates():
    weights = float_weights(np.random.default_rng(6), FEATURES, UNITS)
    model, main, op = the_op(lstm_graph(FusedLstm(), (None, None, FEATURES), weights))
    assert model.operatorCodes[0].version == 1
    assert op.intermediates is None
    for index in op.inputs[18:20]:
        assert main.tensors[index].type == schema.TensorType.FLOAT32
        assert list(main.tensors[index].shapeSignature) == [-1, UNITS]


def test_layout_with_int8_weights_only():
    weights = dynamic_weights(float_weights(np.random.default_rng(7), FEATURES, UNITS))
    model, _, op = the_op(lstm_graph(FusedLstm(), (1, STEPS, FEATURES), weights))
    assert model.operatorCodes[0].version == 3
    assert op.builtinOptions.asymmetricQuantizeInputs
    assert op.intermediates is None


def test_scales_per_channel_are_refused():
    weights = dynamic_weights(float_weights(np.random.default_rng(8), FEATURES, UNITS))
    scales = Quantization.per_channel(np.ones(UNITS), 0)
    weights[2] = weights[2].with_(quantization=scales)
    with pytest.raises(UnsupportedError, match=r"cell/kernel has scales per channel"):
        to_tflite(lstm_graph(FusedLstm(), (1, STEPS, FEATURES), weights))


def test_integers_know_tanh_only():
    rng = np.random.default_rng(9)
    weights, x = float_weights(rng, FEATURES, UNITS), sequences(rng, 1, STEPS, FEATURES)
    _, integer = integer_graph(weights, x, FusedLstm(LstmActivation.RELU))
    with pytest.raises(UnsupportedError, match="no integer kernel for an LSTM with relu"):
        to_tflite(integer)


def test_int16_activations_are_refused():
    rng = np.random.default_rng(10)
    weights, x = float_weights(rng, FEATURES, UNITS), sequences(rng, 1, STEPS, FEATURES)
    _, integer = integer_graph(weights, x)
    wide = {n: integer.tensors[n].with_(dtype="int16") for n in ("x", "y0")}
    with pytest.raises(UnsupportedError, match="no int16 kernel for 'fused_lstm'"):
        to_tflite(integer.with_(tensors={**integer.tensors, **wide}))
