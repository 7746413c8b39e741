"""How products of real activations and int8 weights round the activations."""

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.ir.operator import InputRounding


def is_hybrid(x: str, weights: str, context: Context) -> bool:
    """Whether real activations meet int8 weights."""
    return context.tensor(x).dtype == "float32" and context.tensor(weights).dtype == "int8"


def input_rounding(x: str, weights: str, context: Context) -> InputRounding:
    """Of a convolution, whose kernels decide by the number of the weights' scales."""
    if not is_hybrid(x, weights, context):
        return InputRounding.NONE
    quantization = context.tensor(weights).quantization
    several = quantization is not None and len(quantization.scale) > 1
    return InputRounding.ASYMMETRIC if several else InputRounding.SYMMETRIC


def chosen_rounding(node: Node, context: Context) -> InputRounding:
    """Of an op whose options say it; its first inputs are activations and weights."""
    x, weights = node.given[:2]
    if not is_hybrid(x, weights, context):
        return InputRounding.NONE
    asymmetric = node.option("asymmetricQuantizeInputs", False)
    return InputRounding.ASYMMETRIC if asymmetric else InputRounding.SYMMETRIC
