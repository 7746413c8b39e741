"""LSTM, GRU and SimpleRNN layers."""

from dataclasses import replace
from typing import Any

import numpy as np

from edgenn.frontend.context import Context, as_array
from edgenn.frontend.handlers.activations import activate
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler
from edgenn.ir.ops import Gru, Lstm, Recurrent, Reverse, SimpleRnn
from edgenn.ir.ops.recurrent import CellActivation, named_activation
from edgenn.ir.tensor import Array

layers = keras.layers

NAMED = {keras.activations.tanh: "tanh", keras.activations.sigmoid: "sigmoid"}


@handler(layers.LSTM)
def lstm(
    context: Context, layer: Any, x: str, initial_state: Any = None, mask: str | None = None
) -> Any:
    operator = Lstm(
        units=layer.units,
        activation=cell_activation(context, layer.activation, layer.units),
        recurrent_activation=cell_activation(context, layer.recurrent_activation, layer.units),
    )
    return recurrent(context, layer, operator, x, initial_state, mask)


@handler(layers.SimpleRNN)
def simple_rnn(
    context: Context, layer: Any, x: str, initial_state: Any = None, mask: str | None = None
) -> Any:
    activation = cell_activation(context, layer.activation, layer.units)
    operator = SimpleRnn(units=layer.units, activation=activation)
    return recurrent(context, layer, operator, x, initial_state, mask)


@handler(layers.GRU)
def gru(
    context: Context, layer: Any, x: str, initial_state: Any = None, mask: str | None = None
) -> Any:
    """`reset_after` both ways."""
    operator = Gru(
        units=layer.units,
        activation=cell_activation(context, layer.activation, layer.units),
        recurrent_activation=cell_activation(context, layer.recurrent_activation, layer.units),
        reset_after=layer.reset_after,
    )
    return recurrent(context, layer, operator, x, initial_state, mask)


def recurrent(
    context: Context,
    layer: Any,
    operator: Recurrent,
    x: str,
    initial_state: Any,
    mask: str | None,
) -> Any:
    """The operator of a layer and what ``return_sequences`` and the like make of its outputs."""
    states = [] if initial_state is None else keras.tree.flatten(initial_state)
    operator = replace(
        operator,
        initial=bool(states),
        masked=mask is not None,
        zero_output_for_mask=bool(layer.zero_output_for_mask),
        reverse=layer.go_backwards,
    )
    inputs = [x, *weights(context, layer.cell, operator), *states]
    if mask is not None:
        inputs.append(mask)
    names = [f"{context.path}/{name}" for name in ("sequence", *operator.state_names)]
    sequence, *final = context.builder.add_multiple(operator, inputs, names)
    if layer.return_sequences and layer.go_backwards:
        sequence = context.add(Reverse((1,)), [sequence])
    output = sequence if layer.return_sequences else final[0]
    return [output, *final] if layer.return_state else output


def weights(context: Context, cell: Any, operator: Recurrent) -> list[str]:
    """Kernel, recurrent kernel and biases as the operator takes them."""

    def transposed(kernel: Array) -> Array:
        return np.ascontiguousarray(kernel.T)

    kernel = context.weight(cell.kernel, "kernel", transposed)
    recurrent_kernel = context.weight(cell.recurrent_kernel, "recurrent_kernel", transposed)
    rows = operator.gates * operator.units
    biases = np.zeros((operator.weights - 2, rows), np.float32)
    if cell.bias is not None:
        stored = as_array(cell.bias).reshape(-1, rows)
        biases[: len(stored)] = stored
    names = ("bias", "recurrent_bias")
    return [
        kernel,
        recurrent_kernel,
        *(context.constant(bias, name) for bias, name in zip(biases, names, strict=False)),
    ]


def cell_activation(context: Context, function: Any, units: int) -> CellActivation:
    """A layer's activation as the cell's operator keeps it."""
    if function in NAMED:
        return named_activation(NAMED[function])
    inner = Context(context.path)
    x = inner.builder.input("x", (None, units))
    with inner.call(context.path, context.outputs):
        y = activate(inner, function, x)
    return CellActivation("custom", inner.builder.finish({"y": y}))
