"""Recurrent layers for ONNX: operators of its own where it has them, no loop where none is needed.

ONNX has LSTM, GRU and RNN with a choice of activations. Other cells become copies, one for each
step, where the number of steps is fixed and not too high; the others stay a ``Scan``.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.ops.cell import CellActivation
from edgenn.ir.ops.recurrent import Gru, Lstm, Recurrent
from edgenn.ir.ops.scan import Scan
from edgenn.lowering.recurrent.loop import write_loop
from edgenn.lowering.recurrent.unrolled import ops_of_copies, to_copies

NATIVE_ACTIVATIONS: Final[Mapping[str, int]] = {
    "tanh": 0,
    "sigmoid": 0,
    "relu": 0,
    "linear": 0,
    "hard_sigmoid": 2,
    "elu": 1,
    "leaky_relu": 1,
    "softsign": 0,
}
"""What ONNX Runtime's cells compute as Keras does, and how many parameters it takes.

Its softplus is none of them: it gives infinity from 89 on.
"""

LARGEST_COPIES: Final = 2_000
"""Ops beyond which a loop over a fixed number of steps stays a loop."""


def to_native(graph: Graph) -> Graph:
    """The graph as the ONNX writer takes it; the same object if it runs over no time."""
    if not any(isinstance(op.operator, Recurrent | Scan) for op in graph.ops):
        return graph
    builder = GraphBuilder.from_graph(graph)
    for op in graph.ops:
        if isinstance(op.operator, Recurrent) and not is_native(op.operator):
            write_loop(builder, graph, op, op.operator)
        elif isinstance(op.operator, Scan):
            cell = to_native(op.operator.cell)
            builder.ops.append(replace(op, operator=replace(op.operator, cell=cell)))
        else:
            builder.ops.append(op)
    looped = builder.finish(graph.outputs).with_(metadata=graph.metadata)
    scans = looped.with_(ops=tuple(op for op in looped.ops if isinstance(op.operator, Scan)))
    return looped if ops_of_copies(scans) > LARGEST_COPIES else to_copies(looped)


def is_native(operator: Recurrent) -> bool:
    """Whether ONNX has an operator for it."""
    activations = [operator.activation]
    if isinstance(operator, Lstm | Gru):
        activations.append(operator.recurrent_activation)
    return all(map(is_native_activation, activations))


def is_native_activation(activation: CellActivation) -> bool:
    return NATIVE_ACTIVATIONS.get(activation.name) == len(activation.parameters)
