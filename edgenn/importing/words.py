"""Numbers of the schema in words of the graph."""

from typing import Final

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.ir.operator import Activation, Padding

PADDINGS: Final = {0: Padding.SAME, 1: Padding.VALID}
ACTIVATIONS: Final = {
    0: Activation.NONE,
    1: Activation.RELU,
    2: Activation.RELU_N1_TO_1,
    3: Activation.RELU6,
}


def padding(node: Node) -> Padding:
    return PADDINGS[node.option("padding")]


def activation(node: Node, context: Context) -> Activation:
    """The fused activation.

    Raises:
        UnsupportedError: It is none that the graph can fuse.
    """
    number = node.option("fusedActivationFunction")
    if number not in ACTIVATIONS:
        raise context.unsupported(node, f"its fused activation {number} is unknown")
    return ACTIVATIONS[number]


def require_no_activation(node: Node, context: Context) -> None:
    """Raises UnsupportedError where the graph's operator cannot take the fused activation."""
    if activation(node, context) is not Activation.NONE:
        raise context.unsupported(node, "it has a fused activation")
