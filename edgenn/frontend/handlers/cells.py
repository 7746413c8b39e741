"""The cells that have an operator: LSTM, GRU and the simple RNN."""

from collections.abc import Callable
from typing import Any

import numpy as np

from edgenn.frontend.context import Context
from edgenn.frontend.handlers.cell_activations import cell_activation
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler
from edgenn.ir.ops import FullyConnected, Gru, Lstm, Recurrent, SimpleRnn
from edgenn.ir.ops.cell import CellWriter
from edgenn.ir.tensor import Array

layers = keras.layers


Make = Callable[[Context, Any], Recurrent]
"""Cell → its operator with zero states, no mask, from the first step to the last."""


def lstm(context: Context, cell: Any) -> Lstm:
    check(context, cell, layers.LSTMCell)
    return Lstm(
        units=cell.units,
        activation=cell_activation(context, cell.activation, cell.units),
        recurrent_activation=cell_activation(context, cell.recurrent_activation, cell.units),
    )


def gru(context: Context, cell: Any) -> Gru:
    check(context, cell, layers.GRUCell)
    return Gru(
        units=cell.units,
        activation=cell_activation(context, cell.activation, cell.units),
        recurrent_activation=cell_activation(context, cell.recurrent_activation, cell.units),
        reset_after=cell.reset_after,
    )


def simple_rnn(context: Context, cell: Any) -> SimpleRnn:
    check(context, cell, layers.SimpleRNNCell)
    activation = cell_activation(context, cell.activation, cell.units)
    return SimpleRnn(units=cell.units, activation=activation)


def check(context: Context, cell: Any, expected: type) -> None:
    """A layer of Keras whose cell was exchanged computes something else."""
    if type(cell) is not expected:
        raise context.unsupported(
            f"its cell was exchanged for a {type(cell).__name__}",
            "run the cell with keras.layers.RNN",
        )


OPERATORS: dict[type, Make] = {
    layers.LSTMCell: lstm,
    layers.GRUCell: gru,
    layers.SimpleRNNCell: simple_rnn,
}


def weights(context: Context, cell: Any, operator: Recurrent) -> list[str]:
    """Kernel, recurrent kernel and biases as the operator takes them."""
    rows = operator.gates * operator.units
    return [
        context.weight(cell.kernel, "kernel", transposed),
        context.weight(cell.recurrent_kernel, "recurrent_kernel", transposed),
        bias(context, cell, "bias", rows, 0),
        *(bias(context, cell, "recurrent_bias", rows, 1) for _ in range(operator.weights - 3)),
    ]


def transposed(kernel: Array) -> Array:
    return np.ascontiguousarray(kernel.T)


def bias(context: Context, cell: Any, suffix: str, size: int, row: int) -> str:
    """One of a cell's biases; zeros where it has none. A GRU may have two, as rows."""
    if cell.bias is None or size * (row + 1) > np.prod(cell.bias.shape):
        return context.constant(np.zeros(size, np.float32), suffix)
    return context.weight(cell.bias, suffix, lambda stored: stored.reshape(-1, size)[row])


@handler(*OPERATORS)
def step(context: Context, cell: Any, x: str, states: Any) -> Any:
    """One step: a product with the input, one with the state, and the gates."""
    operator = OPERATORS[type(cell)](context, cell)
    kernel, recurrent_kernel, *biases = weights(context, cell, operator)
    projected = context.add(FullyConnected(), [context.cast(x, "float32"), kernel, biases[0]])
    writer = CellWriter(context.builder, context.path)
    constants = [context.tensor(name) for name in (recurrent_kernel, *biases[1:])]
    parts = [
        tensor.name if any(tensor is known for known in constants) else writer.weight(tensor)
        for tensor in operator.parts(constants)
    ]
    new = operator.step(writer, projected, keras.tree.flatten(states), parts)
    return new[0], new
