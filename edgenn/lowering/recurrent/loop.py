"""Recurrent operators as loops: the input projection for all steps at once, then a ``Scan``.

The projection is one matrix product over the whole sequence; what is left for each step is the
product with the state and what is element-wise.
"""

from collections.abc import Collection
from dataclasses import replace

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Dequantize, FullyConnected
from edgenn.ir.ops.recurrent import Recurrent
from edgenn.ir.ops.scan import TIME, Scan
from edgenn.ir.ops.shape import ExpandDims
from edgenn.ir.tensor import Tensor


def to_loops(graph: Graph, left: Collection[str] = ()) -> Graph:
    """The graph with a ``Scan`` for each recurrent operator, those inside of cells as well.

    The same object if there is none.

    Args:
        left: Names of recurrent ops that stay as they are.
    """
    if not has_recurrent(graph):
        return graph
    builder = GraphBuilder.from_graph(graph)
    for op in graph.ops:
        if op.name in left:
            builder.ops.append(op)
        elif isinstance(op.operator, Recurrent):
            write_loop(builder, graph, op, op.operator)
        elif isinstance(op.operator, Scan):
            cell = to_loops(op.operator.cell)
            builder.ops.append(replace(op, operator=replace(op.operator, cell=cell)))
        else:
            builder.ops.append(op)
    return builder.finish(graph.outputs).with_(metadata=graph.metadata)


def has_recurrent(graph: Graph) -> bool:
    """Whether the graph or a cell in it has a recurrent operator."""
    return any(
        isinstance(op.operator, Recurrent)
        or (isinstance(op.operator, Scan) and has_recurrent(op.operator.cell))
        for op in graph.ops
    )


def write_loop(builder: GraphBuilder, graph: Graph, op: Op, operator: Recurrent) -> None:
    """Adds the projection and the loop of one recurrent op."""
    x, kernel, _, bias = op.inputs[:4]
    sequence, *final = op.outputs
    projected = builder.add(FullyConnected(), [x, kernel, bias], f"{sequence}/projected")
    inputs = [projected]
    mask = operator.mask(op.inputs)
    if mask is not None:
        inputs.append(builder.add(ExpandDims(TIME + 1), [mask], f"{sequence}/mask"))
    inputs.extend(operator.initial_states(op.inputs))
    names = [op.inputs[2], *op.inputs[4 : 1 + operator.weights]]
    recurrent = [weight(graph, name) for name in names]
    stacked = bool(graph.consumers[sequence]) or graph.is_output(sequence)
    scan = operator.scan(f"{sequence}/cell", recurrent, stacked=stacked)
    outputs = (*final, sequence) if stacked else tuple(final)
    builder.ops.append(Op(outputs[0], scan, tuple(inputs), outputs))


def weight(graph: Graph, name: str) -> Tensor:
    """A constant weight as it is stored: in float16 where a dequantize makes it float32."""
    producer = graph.producers.get(name)
    if producer is not None and isinstance(producer.operator, Dequantize):
        return graph.tensors[producer.inputs[0]]
    return graph.tensors[name]
