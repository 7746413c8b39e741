"""Activation functions that stand alone, and softmax."""

from collections.abc import Callable

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.registry import handler
from edgenn.ir import ops
from edgenn.ir.operator import Operator

ACTIVATIONS: dict[str, Callable[[Node], Operator]] = {
    "RELU": lambda _: ops.Relu(),
    "RELU6": lambda _: ops.Relu6(),
    "RELU_N1_TO_1": lambda _: ops.ReluN1To1(),
    "LEAKY_RELU": lambda node: ops.LeakyRelu(node.option("alpha", 0.0)),
    "PRELU": lambda _: ops.Prelu(),
    "ELU": lambda _: ops.Elu(),
    "LOGISTIC": lambda _: ops.Logistic(),
    "TANH": lambda _: ops.Tanh(),
    "HARD_SWISH": lambda _: ops.HardSwish(),
    "GELU": lambda node: ops.Gelu(bool(node.option("approximate", False))),
    "LOG_SOFTMAX": lambda _: ops.LogSoftmax(),
    "SOFTMAX": lambda node: ops.Softmax(node.option("beta", 0.0)),
}


@handler(*ACTIVATIONS)
def activation(node: Node, context: Context) -> None:
    context.add(ACTIVATIONS[node.builtin](node), node.given, node.outputs)
