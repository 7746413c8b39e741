"""Loops: WHILE, whose condition and body are subgraphs of their own."""

from edgenn.importing.context import Context
from edgenn.importing.loops import as_scan
from edgenn.importing.node import Node
from edgenn.importing.registry import handler, read_ops
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import While


@handler("WHILE")
def while_loop(node: Node, context: Context) -> None:
    condition = subgraph(node.option("condSubgraphIndex"), context)
    body = subgraph(node.option("bodySubgraphIndex"), context)
    op = Op(node.name, While(condition, body), node.given, node.outputs)
    scan = as_scan(op, context)
    found = op if scan is None else scan
    context.add(found.operator, found.inputs, found.outputs)


def subgraph(number: int, context: Context) -> Graph:
    inner = Context(context.file, number, context.within)
    inputs = inner.inputs()
    read_ops(inner)
    outputs = inner.outputs()
    return inner.graph(
        {name: name for name in inputs},
        {f"result_{i}": name for i, name in enumerate(outputs)},
        {},
    )
