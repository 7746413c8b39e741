"""LSTMs as TFLite's one op for a whole sequence, which microcontrollers and Ethos-U take."""

import numpy as np

from edgenn.errors import UnsupportedError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Lstm, Recurrent, Reverse, Scan, StridedSlice
from edgenn.ir.ops.fused_lstm import CELL_STATES, FusedLstm, LstmActivation
from edgenn.ir.ops.scan import TIME
from edgenn.ir.tensor import Tensor
from edgenn.lowering.recurrent.loop import weight

BACKWARD = "/backward"
HINT = "--rnn loop or --rnn unrolled"


def to_fused(graph: Graph) -> Graph:
    """The graph with a ``FusedLstm`` for each LSTM; the same object if it is not recurrent.

    Raises:
        UnsupportedError: A recurrent layer that the op cannot compute.
    """
    if not any(isinstance(op.operator, Recurrent | Scan) for op in graph.ops):
        return graph
    builder = GraphBuilder.from_graph(graph)
    for op in graph.ops:
        if isinstance(op.operator, Recurrent | Scan):
            reason = obstacle(graph, op)
            if reason:
                raise UnsupportedError(
                    f"{layer_of(op)}: {reason}: it has no fused form in TFLite", HINT
                )
            write_fused(builder, graph, op)
        else:
            builder.ops.append(op)
    cells = {
        op.outputs[0]: cell_state_of(op) for op in builder.ops if isinstance(op.operator, FusedLstm)
    }
    metadata = {**graph.metadata, CELL_STATES: cells}
    return builder.finish(graph.outputs).with_(metadata=metadata)


def cell_state_of(op: Op) -> str:
    """What the loop form of the layer calls the tensor that the fused op keeps to itself."""
    return f"{op.outputs[0].removesuffix(BACKWARD)}/cell/cell"


def layer_of(op: Op) -> str:
    """The path of the layer that an op stands for."""
    return op.outputs[0].removesuffix("/sequence")


def obstacle(graph: Graph, op: Op) -> str:
    """Why a recurrent op cannot be fused; empty if it can."""
    lstm = op.operator
    if not isinstance(lstm, Lstm):
        return f"{lstm.kind} is no LSTM"
    if fused_activation(lstm) is None or lstm.recurrent_activation.name != "sigmoid":
        names = f"{lstm.activation.name} and {lstm.recurrent_activation.name}"
        return f"its activations are {names}, not tanh and sigmoid"
    if lstm.initial:
        return "it begins with states that are given"
    if lstm.masked:
        return "it has a mask"
    if graph.consumers[op.outputs[2]] or graph.is_output(op.outputs[2]):
        return "its final cell state is wanted"
    return ""


def fused_activation(lstm: Lstm) -> LstmActivation | None:
    """The op's word for the layer's activation."""
    name = lstm.activation.name
    return LstmActivation(name) if name in list(LstmActivation) else None


def write_fused(builder: GraphBuilder, graph: Graph, op: Op) -> None:
    """Adds the op of one layer: its sequence, and its last step where that is wanted."""
    lstm = op.operator
    assert isinstance(lstm, Lstm)
    activation = fused_activation(lstm)
    assert activation is not None
    sequence, last, _ = op.outputs
    x, *names = op.inputs[:4]
    weights = [part for name in names for part in quarters(builder, weight(graph, name))]
    if lstm.reverse:
        x = builder.add(Reverse((TIME,)), [x], f"{sequence}/reversed")
    is_needed = bool(graph.consumers[last]) or graph.is_output(last)
    forward = f"{sequence}{BACKWARD}" if lstm.reverse else sequence
    builder.tensors[forward] = graph.tensors[sequence].with_(name=forward)
    operator = FusedLstm(activation)
    builder.ops.append(Op(forward, operator, (x, *weights), (forward,)))
    if is_needed:
        cut = StridedSlice((None, -1, None), (None, None, None), (1, 1, 1), (TIME,))
        builder.ops.append(Op(last, cut, (forward,), (last,)))
    if lstm.reverse:
        builder.ops.append(Op(sequence, Reverse((TIME,)), (forward,), (sequence,)))


def quarters(builder: GraphBuilder, tensor: Tensor) -> list[str]:
    """The rows of each gate as constants of their own."""
    assert tensor.data is not None
    parts = np.split(np.asarray(tensor.real(), np.float32), 4)
    return [
        builder.constant(f"{tensor.name}/{gate}", np.ascontiguousarray(part))
        for gate, part in zip(("input", "forget", "cell", "output"), parts, strict=True)
    ]
