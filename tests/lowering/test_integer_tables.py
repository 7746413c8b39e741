"""Which ops become one function, and what a table gains over one rounding for each op."""

from typing import Any

import numpy as np
import pytest
from support.legalized import (
    error_shares,
    graph_of,
    quantized,
    real_outputs,
    samples,
    stored_inputs,
)
from support.litert import DEFAULT, run
from support.rewriting import kinds

from edgenn.frontend import capture
from edgenn.frontend.keras_import import keras
from edgenn.ir import ops
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.lowering.integer import legalize
from edgenn.passes import simplify
from edgenn.quantization.calibration import observed_tensors
from edgenn.quantization.integer import quantize_integer
from edgenn.quantization.parameters import Range
from edgenn.quantization.schemes import Scheme

SHAPE = (4, 6)
SOFTPLUS = (
    ops.Abs(), (ops.Mul(), ..., -1), ops.Exp(), (ops.Add(), ..., 1), ops.Log(),
    (ops.Add(), ..., "relu"),
)  # fmt: skip
NOT_CONVERTED = {"sparsemax"}
"""Sorts its input, which TFLite has no op for."""
ACTIVATIONS = sorted(
    name
    for name in vars(keras.activations)
    if callable(getattr(keras.activations, name))
    and name not in {"get", "serialize", "deserialize", *NOT_CONVERTED}
)


def activated(name: str, x: Any) -> Any:
    if name == "threshold":  # the only one with arguments that have no defaults; no jump
        return keras.ops.threshold(x, 0.5, 0.5)
    return keras.layers.Activation(name)(x)


def activation_graph(name: str) -> Graph:
    x = keras.Input(SHAPE)
    return simplify(capture(keras.Model(x, activated(name, x))))


def legal_kinds(*entries, inputs=1) -> list[str]:
    return kinds(legalize(graph_of(*entries, inputs=[SHAPE] * inputs), "int8"))


@pytest.mark.parametrize("scheme", [Scheme.INT8, Scheme.INT16X8])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_keras_activation_is_written_in_integers(name: str, scheme: Scheme):
    graph = activation_graph(name)
    (error,) = error_shares(graph, scheme, samples(graph, -6, 6)).values()
    assert error < {Scheme.INT8: 0.004, Scheme.INT16X8: 2e-4}[scheme]


def test_a_model_of_all_keras_activations_is_written_in_int8():
    x = keras.Input(SHAPE)
    # as a layer, Keras states the input's shape for what glu gives
    y = keras.layers.Concatenate()([activated(name, x) for name in ACTIVATIONS if name != "glu"])
    graph = simplify(capture(keras.Model(x, keras.layers.Dense(3)(y))))
    (error,) = error_shares(graph, Scheme.INT8, samples(graph, -2, 2)).values()
    assert error < 0.02


@pytest.mark.parametrize("name", ["softplus", "mish", "softsign", "selu", "squareplus", "celu"])
def test_a_table_rounds_once(name: str):
    """Within half a step of the function of the stored input."""
    graph = activation_graph(name)
    inputs = samples(graph, -4, 4)
    integers = quantized(graph, Scheme.INT8, inputs)
    assert kinds(integers) == ["elementwise_function"]
    (x,), (y,) = integers.inputs.values(), integers.outputs.values()
    stored = stored_inputs(integers, inputs)
    seen = {n: integers.tensors[x].quantization.dequantize(v) for n, v in stored.items()}
    (real,) = real_outputs(integers, inputs).values()
    error = np.abs(real - evaluate(graph, seen)[y])
    assert error.max() <= 0.501 * integers.tensors[y].quantization.scale[0]


def test_a_table_is_nearer_to_float_than_one_rounding_for_each_op():
    graph = activation_graph("mish")
    inputs = samples(graph, -6, 6, batch=256)
    (y,) = graph.outputs.values()
    seen = evaluate(graph, inputs)
    ranges = {name: Range.of(seen[name]) for name in observed_tensors(graph)}
    separate = quantize_integer(graph, Scheme.INT8, ranges)
    errors = {}
    for label, integers in (
        ("separate", separate),
        ("table", quantized(graph, Scheme.INT8, inputs)),
    ):
        (real,) = real_outputs(integers, inputs).values()
        errors[label] = np.sqrt(np.mean((real - seen[y]) ** 2))
    assert errors["table"] < 0.85 * errors["separate"]


def test_the_default_kernels_look_up_the_same():
    graph = activation_graph("mish")
    inputs = samples(graph, -4, 4)
    integers = quantized(graph, Scheme.INT8, inputs)
    stored = stored_inputs(integers, inputs)
    (public, y), *_ = integers.outputs.items()
    np.testing.assert_array_equal(
        run(integers, stored, DEFAULT)[public], evaluate(integers, stored)[y]
    )


def test_short_chains_of_integer_kernels_stay():
    assert legal_kinds(ops.Logistic(), (ops.Mul(), ..., "x0")) == ["logistic", "mul"]
    assert legal_kinds(ops.Exp(), ops.Log(), ops.Abs()) == ["exp", "log", "abs"]


def test_long_chains_become_one_function():
    assert legal_kinds(ops.Exp(), ops.Log(), ops.Abs(), ops.Tanh()) == ["elementwise_function"]


def test_a_missing_kernel_takes_the_ops_around_it_along():
    assert legal_kinds(ops.Abs(), ops.Sin(), ops.Tanh()) == ["elementwise_function"]


def test_functions_end_where_another_tensor_comes_in():
    legal = legal_kinds(ops.Sin(), (ops.Add(), ..., "x1"), ops.Cos(), inputs=2)
    assert legal == ["elementwise_function", "add", "elementwise_function"]


def test_functions_end_at_ops_that_are_not_element_by_element():
    function = "elementwise_function"
    assert legal_kinds(ops.Sin(), ops.ReduceMax((1,), True), ops.Cos()) == [
        function, "reduce_max", function,
    ]  # fmt: skip
    assert legal_kinds(ops.Sin(), ops.LogSoftmax(), ops.Cos()) == [
        function, "log_softmax", function,
    ]  # fmt: skip


def test_constants_of_several_values_are_no_part_of_a_function():
    per_channel = np.arange(1, 7)
    legal = legal_kinds(ops.Sin(), (ops.Mul(), ..., per_channel), ops.Cos())
    assert legal == ["elementwise_function", "mul", "elementwise_function"]


def test_what_others_read_too_is_a_function_of_its_own():
    graph = graph_of(ops.Sin(), ops.Cos(), inputs=[SHAPE])
    both = graph.with_(outputs={"y": "op1", "z": "op0"})
    legal = legalize(both, "int8")
    assert [op.inputs for op in legal.ops] == [("x0",), ("x0",)]
    assert [len(op.operator.steps) for op in legal.ops] == [1, 2]
