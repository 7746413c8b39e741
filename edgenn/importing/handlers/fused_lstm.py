"""An LSTM as one op, in the layout of ``export/tflite/emitters/fused_lstm.py``."""

import math

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.products import chosen_rounding
from edgenn.importing.registry import handler
from edgenn.ir.ops import Transpose
from edgenn.ir.ops.fused_lstm import FusedLstm, LstmActivation
from edgenn.ir.ops.integer_lstm import CELL_EXPONENTS

ACTIVATIONS = {1: LstmActivation.RELU, 3: LstmActivation.RELU6, 4: LstmActivation.TANH}
KERNELS, PEEPHOLES, BIASES = slice(1, 9), slice(9, 12), slice(12, 16)
PROJECTION, LAYER_NORMS = slice(16, 18), slice(20, 24)
HIDDEN_STATE, CELL_STATE = 18, 19
TIME_FIRST = (1, 0, 2)


@handler("UNIDIRECTIONAL_SEQUENCE_LSTM")
def fused_lstm(node: Node, context: Context) -> None:
    require_plain(node, context)
    lstm = FusedLstm(
        activation(node, context),
        float(node.option("cellClip", 0.0)),
        cell_exponent(node, context),
        input_rounding=chosen_rounding(node, context),
    )
    weights = [name for name in (*node.inputs[KERNELS], *node.inputs[BIASES]) if name is not None]
    x = node.given[0]
    if not node.option("timeMajor", False):
        context.add(lstm, [x, *weights], node.outputs)
        return
    quantization = context.tensor(x).quantization
    x = context.add_between(Transpose(TIME_FIRST), [x], f"{node.name}/batch_first", quantization)
    quantization = context.tensor(node.name).quantization
    y = context.add_between(lstm, [x, *weights], f"{node.name}/sequence", quantization)
    context.add(Transpose(TIME_FIRST), [y], node.outputs)


def require_plain(node: Node, context: Context) -> None:
    """Raises UnsupportedError for what the graph's operator does not have."""
    extras = {
        "peephole weights": node.inputs[PEEPHOLES],
        "a projection": node.inputs[PROJECTION],
        "layer normalisation": node.inputs[LAYER_NORMS],
    }
    for what, names in extras.items():
        if any(name is not None for name in names):
            raise context.unsupported(node, f"it has {what}")
    if any(name is None for name in (*node.inputs[KERNELS], *node.inputs[BIASES])):
        raise context.unsupported(node, "its input gate is coupled to the forget gate")


def activation(node: Node, context: Context) -> LstmActivation:
    number = node.option("fusedActivationFunction")
    if number not in ACTIVATIONS:
        raise context.unsupported(node, f"its activation {number} is unknown")
    return ACTIVATIONS[number]


def cell_exponent(node: Node, context: Context) -> int:
    """Of the cell state's steps, which the kernel demands to be a power of two."""
    name = node.input(CELL_STATE)
    quantization = None if name is None else context.tensor(name).quantization
    if quantization is None:
        return FusedLstm.cell_exponent
    exponent = round(math.log2(float(quantization.scale[0])))
    if exponent not in CELL_EXPONENTS:
        raise context.unsupported(node, f"its cell state counts in steps of 2**{exponent}")
    return exponent
