"""Changes of representation."""

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.registry import handler
from edgenn.ir.ops import Cast, Dequantize, Quantize


@handler("QUANTIZE")
def quantize(node: Node, context: Context) -> None:
    context.add(Quantize(context.tensor(node.name).dtype), node.given, node.outputs)


@handler("DEQUANTIZE")
def dequantize(node: Node, context: Context) -> None:
    context.add(Dequantize(), node.given, node.outputs)


@handler("CAST")
def cast(node: Node, context: Context) -> None:
    x, y = context.tensor(node.given[0]), context.tensor(node.name)
    stored = x.quantization is not None  # the kernel does not look at scales
    context.add(Cast(y.dtype, stored), node.given, node.outputs)
