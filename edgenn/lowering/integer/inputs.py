"""Inputs in integers that the model only ever reads as real numbers, such as photos in uint8.

A full-integer graph stores real numbers as integers anyway, so that the cast goes: photos of
0 … 255 are stored as they are, less 128 in int8.
"""

from edgenn.ir import ops
from edgenn.ir.graph import Graph, Op, rewritten


def with_real_inputs(graph: Graph) -> Graph:
    """The graph whose inputs are real numbers where every reader casts them to such.

    The same object comes back where there is no such input.
    """
    real = {name for name in graph.inputs.values() if is_read_as_real(graph, name)}
    if not real:
        return graph
    sources = {
        op.output: op.inputs[0]
        for op in graph.ops
        if isinstance(op.operator, ops.Cast) and op.inputs[0] in real
    }
    kept = [
        Op(op.name, op.operator, tuple(sources.get(n, n) for n in op.inputs), op.outputs)
        for op in graph.ops
        if op.outputs[0] not in sources
    ]
    numbers = {name: graph.tensors[name].with_(dtype="float32") for name in real}
    return rewritten(graph, {**graph.tensors, **numbers}, kept)


def is_read_as_real(graph: Graph, name: str) -> bool:
    """Whether casts to real numbers, and nothing else, read an input that holds integers."""
    readers = graph.consumers[name]
    return (
        graph.tensors[name].dtype.startswith(("int", "uint"))
        and bool(readers)
        and not graph.is_output(name)
        and all(
            isinstance(op.operator, ops.Cast)
            and graph.tensors[op.output].dtype == "float32"
            and not graph.is_output(op.output)
            for op in readers
        )
    )
