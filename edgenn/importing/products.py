"""How products of real activations and int8 weights round the activations."""

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.ir.operator import InputRounding


def is_hybrid(node: Node, context: Context, weights: int = 1) -> bool:
    """Whether the op takes real activations and int8 weights."""
    x, w = context.tensor(node.given[0]), context.tensor(node.given[weights])
    return x.dtype == "float32" and w.dtype == "int8"


def input_rounding(node: Node, context: Context) -> InputRounding:
    """Of a convolution, whose kernels decide by the number of the weights' scales."""
    if not is_hybrid(node, context):
        return InputRounding.NONE
    quantization = context.tensor(node.given[1]).quantization
    several = quantization is not None and len(quantization.scale) > 1
    return InputRounding.ASYMMETRIC if several else InputRounding.SYMMETRIC
