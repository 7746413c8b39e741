"""Pooling."""

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.registry import handler
from edgenn.importing.words import activation, padding
from edgenn.ir.ops import AveragePool2D, MaxPool2D

POOLS = {"MAX_POOL_2D": MaxPool2D, "AVERAGE_POOL_2D": AveragePool2D}


@handler(*POOLS)
def pooling(node: Node, context: Context) -> None:
    pool = POOLS[node.builtin](
        (node.option("filterHeight"), node.option("filterWidth")),
        (node.option("strideH"), node.option("strideW")),
        padding(node),
        activation(node, context),
    )
    context.add(pool, node.given, node.outputs)
