"""Inputs that the model only ever reads in another dtype are given in that dtype.

Photos in uint8 that are cast to real numbers are real numbers, which a full-integer graph stores
in integers anyway: 0 … 255 as they are, less 128 in int8. Indices that come as floats stay exact
only as integers.
"""

from edgenn.ir import ops
from edgenn.ir.graph import Graph, Op, rewritten

KIND = {"float32": "real", "int8": "index", "uint8": "index", "int32": "index", "int64": "index"}
"""What an input of this dtype holds; casts within one kind stay."""


def with_cast_inputs(graph: Graph) -> Graph:
    """The graph whose inputs have the dtype that every reader casts them to.

    The same object comes back where there is no such input.
    """
    dtypes = {
        name: dtype
        for name in graph.inputs.values()
        if (dtype := wanted_dtype(graph, name)) is not None
    }
    if not dtypes:
        return graph
    # the first states of loops are made of nothing
    sources = {op.output: op.inputs[0] for op in graph.ops if op.inputs and op.inputs[0] in dtypes}
    kept = [
        Op(op.name, op.operator, tuple(sources.get(n, n) for n in op.inputs), op.outputs)
        for op in graph.ops
        if op.outputs[0] not in sources
    ]
    inputs = {name: graph.tensors[name].with_(dtype=dtype) for name, dtype in dtypes.items()}
    return rewritten(graph, {**graph.tensors, **inputs}, kept)


def wanted_dtype(graph: Graph, name: str) -> str | None:
    """The one dtype of the other kind that casts, and nothing else, read an input in."""
    readers = graph.consumers[name]
    results = [op.outputs[0] for op in readers if isinstance(op.operator, ops.Cast)]
    dtypes = {graph.tensors[result].dtype for result in results}
    if len(results) != len(readers) or len(dtypes) != 1:
        return None
    if any(graph.is_output(result) for result in (name, *results)):
        return None
    (dtype,) = dtypes
    kinds = {KIND.get(graph.tensors[name].dtype), KIND.get(dtype)}
    return dtype if kinds == {"real", "index"} else None
