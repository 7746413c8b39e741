"""Loops whose length a condition decides."""

from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.context import Context
from edgenn.export.tflite.registry import emitter, write_ops
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import While


@emitter(While)
def while_loop(op: Op, context: Context) -> None:
    assert isinstance(op.operator, While)
    inputs = context.indices(op.inputs)
    options = schema.WhileOptionsT()
    options.condSubgraphIndex = subgraph(op.operator.condition, f"{op.name}/condition", context)
    options.bodySubgraphIndex = subgraph(op.operator.body, f"{op.name}/body", context)
    context.emit("WHILE", inputs, context.indices(op.outputs), options)


def subgraph(graph: Graph, name: str, context: Context) -> int:
    """Writes a graph beside the main one; its number."""
    inner = Context(graph, name, context.file)
    inner.subgraph.inputs = inner.indices(tuple(graph.inputs.values()))
    write_ops(inner)
    inner.subgraph.outputs = inner.indices(tuple(graph.outputs.values()))
    return inner.number
