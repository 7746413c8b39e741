"""Puts the ops of one graph into another."""

from collections.abc import Sequence

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph


def inline(builder: GraphBuilder, graph: Graph, inputs: Sequence[str], scope: str) -> list[str]:
    """Adds the graph's ops to ``builder``; shapes follow from the inputs.

    Constants keep their names where those are free, or are shared with an equal one that is
    there already; computed tensors get theirs behind ``scope``.

    Args:
        inputs: Tensors of the builder in place of the graph's inputs, in their order.
        scope: Comes before the names of computed tensors.

    Returns:
        The names of the graph's outputs, in their order.
    """
    names = dict(zip(graph.inputs.values(), inputs, strict=True))
    for op in graph.ops:
        for name in op.inputs:
            if name not in names:
                names[name] = _constant(builder, graph, name)
        outputs = builder.add_multiple(
            op.operator, [names[n] for n in op.inputs], [f"{scope}{n}" for n in op.outputs]
        )
        for old, new in zip(op.outputs, outputs, strict=True):
            type_ = graph.tensors[old]
            builder.tensors[new] = builder.tensors[new].with_(
                dtype=type_.dtype, quantization=type_.quantization
            )
            names[old] = new
    for name in graph.outputs.values():
        if name not in names:
            names[name] = _constant(builder, graph, name)
    return [names[name] for name in graph.outputs.values()]


def _constant(builder: GraphBuilder, graph: Graph, name: str) -> str:
    """A constant of the graph in the builder; the one of that name where it is the same."""
    tensor = graph.tensors[name]
    assert tensor.data is not None
    known = builder.tensors.get(name)
    if known is not None and known.data is tensor.data:
        return name
    return builder.constant(name, tensor.data, tensor.quantization)
