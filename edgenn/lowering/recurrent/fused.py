"""LSTMs as TFLite's one op for a whole sequence, which microcontrollers and Ethos-U take."""

import numpy as np

from edgenn.errors import UnsupportedError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops import Gru, Lstm, Recurrent, Reverse, Scan, SimpleRnn, StridedSlice
from edgenn.ir.ops.fused_lstm import LOOP_STATES, FusedLstm, LstmActivation
from edgenn.ir.ops.scan import TIME
from edgenn.ir.tensor import Tensor
from edgenn.lowering.recurrent.kept_steps import KeptSteps
from edgenn.lowering.recurrent.loop import weight
from edgenn.lowering.recurrent.unrolled import renamed

HINT = "--rnn loop, or --rnn unrolled where the number of steps is fixed"
NAMES: dict[type[Operator], str] = {Gru: "GRU", SimpleRnn: "SimpleRNN"}


def to_fused(graph: Graph) -> Graph:
    """The graph with a ``FusedLstm`` for each LSTM; the same object if it is not recurrent.

    Raises:
        UnsupportedError: A recurrent layer that the op cannot compute.
    """
    if not any(isinstance(op.operator, Recurrent | Scan) for op in graph.ops):
        return graph
    writer = FusedWriter(graph)
    for op in graph.ops:
        if isinstance(op.operator, Recurrent | Scan):
            reason = obstacle(graph, op)
            if reason:
                raise UnsupportedError(f"{layer_of(op)}: {reason}", HINT)
            writer.add(op)
        else:
            writer.builder.ops.append(op)
    metadata = {**graph.metadata, LOOP_STATES: writer.loop_states}
    return writer.builder.finish(graph.outputs).with_(metadata=metadata)


def require_integer_kernel(graph: Graph) -> None:
    """Whether the fused op computes the graph's LSTMs in integers, too.

    Raises:
        UnsupportedError: One with another activation than tanh, which the kernel always takes.
    """
    for op in graph.ops:
        if isinstance(op.operator, Lstm) and op.operator.activation.name != LstmActivation.TANH:
            raise UnsupportedError(
                f"{layer_of(op)}: its activation is {op.operator.activation.name},"
                " TFLite's fused LSTM has only tanh in integers",
                HINT,
            )


def layer_of(op: Op) -> str:
    """The path of the layer that an op stands for."""
    return op.outputs[0].removesuffix("/sequence")


def obstacle(graph: Graph, op: Op) -> str:
    """Why a recurrent op cannot be fused; empty if it can."""
    lstm = op.operator
    if not isinstance(lstm, Lstm):
        return f"TFLite has no fused {NAMES.get(type(lstm), 'form of this cell')}"
    if fused_activation(lstm) is None:
        known = ", ".join(LstmActivation)
        return f"its activation is {lstm.activation.name}, TFLite's fused LSTM has {known}"
    if lstm.recurrent_activation.name != "sigmoid":
        name = lstm.recurrent_activation.name
        return f"its recurrent activation is {name}, TFLite's fused LSTM has sigmoid"
    if lstm.initial:
        return "TFLite's fused LSTM takes no initial states"
    if graph.consumers[op.outputs[2]] or graph.is_output(op.outputs[2]):
        return "the fused op keeps its cell state to itself, and the model reads the last one"
    return ""


def fused_activation(lstm: Lstm) -> LstmActivation | None:
    """The op's word for the layer's activation."""
    name = lstm.activation.name
    return LstmActivation(name) if name in list(LstmActivation) else None


class FusedWriter:
    """Writes the op of one layer after the other.

    Attributes:
        loop_states: Output of a fused op → what the loop form of the layer calls the output and
            the cell state of a step.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.builder = GraphBuilder.from_graph(graph)
        self.loop_states: dict[str, tuple[str, str]] = {}
        self._kept: dict[tuple[str, bool], KeptSteps] = {}

    def add(self, op: Op) -> None:
        """Adds a layer: its sequence and its last output, as far as they are wanted."""
        lstm = op.operator
        assert isinstance(lstm, Lstm)
        before = len(self.builder.ops)
        sequence, last, _ = op.outputs
        x, mask = op.inputs[0], lstm.mask(op.inputs)
        if lstm.reverse:
            x = self.reversed(x, f"{sequence}/input_reversed")
        kept = None if mask is None else self.kept(mask, reverse=lstm.reverse)
        fused = self.run(op, lstm, x, kept)
        held, shown = (fused, fused) if kept is None else self.spread(kept, fused, op, lstm)
        cut = StridedSlice((None, -1, None), (None, None, None), (1, 1, 1), (TIME,))
        end = self.builder.add(cut, [held], f"{sequence}/last")
        if lstm.reverse:
            shown = self.reversed(shown, f"{sequence}/shown_reversed")
        names = {shown: sequence, end: last}
        self.rename(before, names)
        hidden, cell = ("hidden", "cell") if kept is None else ("kept_h", "kept_c")
        states = (f"{sequence}/cell/{hidden}", f"{sequence}/cell/{cell}")
        self.loop_states[names.get(fused, fused)] = states

    def run(self, op: Op, lstm: Lstm, x: str, kept: KeptSteps | None) -> str:
        """The fused op, over the kept steps first where there is a mask."""
        activation = fused_activation(lstm)
        assert activation is not None
        weights = [
            part
            for name in op.inputs[1:4]
            for part in quarters(self.builder, weight(self.graph, name))
        ]
        scope = op.outputs[0]
        if kept is not None:
            x = kept.compact(x, f"{scope}/compact")
        return self.builder.add(FusedLstm(activation), [x, *weights], f"{scope}/fused")

    def spread(self, kept: KeptSteps, fused: str, op: Op, lstm: Lstm) -> tuple[str, str]:
        """The outputs of all steps: the last one so far at each, and what the layer shows."""
        scope = op.outputs[0]
        spread = kept.spread(fused, f"{scope}/spread")
        held = kept.zeroed(spread, f"{scope}/held", everywhere=False)
        if not lstm.zero_output_for_mask:
            return held, held
        return held, kept.zeroed(spread, f"{scope}/shown", everywhere=True)

    def kept(self, mask: str, *, reverse: bool) -> KeptSteps:
        """The same object for every layer that has the mask."""
        if (mask, reverse) not in self._kept:
            name = self.reversed(mask, f"{mask}/reversed") if reverse else mask
            self._kept[mask, reverse] = KeptSteps(self.builder, name)
        return self._kept[mask, reverse]

    def reversed(self, x: str, name: str) -> str:
        """The sequence from its last step to the first."""
        return self.builder.add(Reverse((TIME,)), [x], name)

    def rename(self, before: int, wanted: dict[str, str]) -> None:
        """Gives results of the newest ops the names of the layer's outputs.

        Args:
            before: Where in the builder's ops they begin.
        """
        for made in wanted:
            del self.builder.tensors[made]
        ops = self.builder.ops
        ops[before:] = [renamed(op, wanted) for op in ops[before:]]


def quarters(builder: GraphBuilder, tensor: Tensor) -> list[str]:
    """The rows of each gate as constants of their own."""
    assert tensor.data is not None
    parts = np.split(np.asarray(tensor.real(), np.float32), 4)
    return [
        builder.constant(f"{tensor.name}/{gate}", np.ascontiguousarray(part))
        for gate, part in zip(("input", "forget", "cell", "output"), parts, strict=True)
    ]
