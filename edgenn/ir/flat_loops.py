"""Loops laid flat: their cells' ops among all others, between markers.

Calibration, legalisation and quantisation look at one op after the other and at the tensors
around it. In a flat graph the ops of a cell are such ops; ``close_loops`` gathers them again.

A flat graph is no program: it says what happens at one step. Where an output of the graph, or an
op outside, names a tensor inside of a loop, its values at all steps are meant.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import TensorType
from edgenn.ir.ops.moving import Mover
from edgenn.ir.ops.scan import TIME, Scan
from edgenn.ir.tensor import Array, Shape, Tensor


@dataclass(frozen=True)
class Marker(Mover):
    """A border of the loop called ``loop``; what crosses it keeps its scale."""

    loop: str = ""

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        raise TypeError("a flat graph cannot be evaluated: close its loops first")


@dataclass(frozen=True)
class StepInput(Marker):
    """One step of a sequence: ``(B, T, …)`` to ``(B, …)``."""

    kind = "step_input"

    reverse: bool = False

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType((x.shape[0], *x.shape[TIME + 1 :]), x.dtype),)


@dataclass(frozen=True)
class StateInput(Marker):
    """The state that a step begins with; its input is the initial one, if that is not zero."""

    kind = "state_input"

    shape: Shape = ()
    dtype: str = "float32"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        return (TensorType(self.shape, self.dtype),)


@dataclass(frozen=True)
class LoopEnd(Marker):
    """What comes out of a loop.

    Inputs: the states after a step, the same states before it, what is stacked over time.
    Outputs: the states after the last step, the stacks ``(B, T, …)``.
    """

    kind = "loop_end"

    states: int = 0
    steps: int | None = None

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        after, stacked = inputs[: self.states], inputs[2 * self.states :]
        return (
            *(TensorType(x.shape, x.dtype) for x in after),
            *(TensorType((x.shape[0], self.steps, *x.shape[1:]), x.dtype) for x in stacked),
        )

    def ties(
        self, inputs: Sequence[str], outputs: Sequence[str]
    ) -> list[tuple[list[str], list[str]]]:
        """Which inputs share one scale with which outputs."""
        count = self.states
        after, before, stacked = inputs[:count], inputs[count : 2 * count], inputs[2 * count :]
        states = [
            ([new, old], [final])
            for new, old, final in zip(after, before, outputs[:count], strict=True)
        ]
        return states + [([x], [y]) for x, y in zip(stacked, outputs[count:], strict=True)]


def open_loops(graph: Graph, left: Collection[str] = ()) -> Graph:
    """The graph with the ops of its loops laid flat; the same object if it has none.

    Args:
        left: Names of loops that stay as they are.
    """
    if not any(isinstance(op.operator, Scan) and op.name not in left for op in graph.ops):
        return graph
    builder = GraphBuilder.from_graph(graph)
    for op in graph.ops:
        if isinstance(op.operator, Scan) and op.name not in left:
            _open(builder, op, op.operator)
        else:
            builder.ops.append(op)
    return builder.finish(graph.outputs).with_(metadata=graph.metadata)


def _open(builder: GraphBuilder, op: Op, scan: Scan) -> None:
    cell, names = scan.cell, dict[str, str]()

    def add(operator: Marker, inputs: Sequence[str], old: str) -> None:
        names[old] = builder.unique(old)
        builder.tensors[names[old]] = cell.tensors[old].with_(name=names[old])
        builder.ops.append(Op(names[old], operator, tuple(inputs), (names[old],)))

    initial = iter(op.inputs[scan.sequences :])
    for index, name in enumerate(cell.inputs.values()):
        if index < scan.sequences:
            add(StepInput(op.name, scan.reverse), [op.inputs[index]], name)
        else:
            tensor = cell.tensors[name]
            start = [] if scan.zero_state else [next(initial)]
            add(StateInput(op.name, tensor.shape, tensor.dtype), start, name)
    for name, tensor in cell.tensors.items():
        if name not in names:
            names[name] = builder.unique(name)
            builder.tensors[names[name]] = tensor.with_(name=names[name])
    for inner in cell.ops:
        inputs, outputs = ([names[n] for n in part] for part in (inner.inputs, inner.outputs))
        builder.ops.append(Op(outputs[0], inner.operator, tuple(inputs), tuple(outputs)))
    before = [names[name] for name in list(cell.inputs.values())[scan.sequences :]]
    after = [names[name] for name in list(cell.outputs.values())]
    inputs = [*after[: scan.states], *before, *after[scan.states :]]
    end = LoopEnd(op.name, scan.states, builder.tensors[op.inputs[0]].shape[TIME])
    builder.ops.append(Op(op.outputs[0], end, tuple(inputs), op.outputs))


def inside(graph: Graph) -> dict[str, str]:
    """Op of a flat graph → the loop that it stands in; its markers included."""
    loops: dict[str, str] = {}
    at: dict[str, str] = {}
    for op in graph.ops:
        if isinstance(op.operator, Marker):
            loops[op.name] = op.operator.loop
            if isinstance(op.operator, StepInput | StateInput):
                at[op.output] = op.operator.loop
            continue
        found = next((at[name] for name in op.inputs if name in at), None)
        if found is not None:
            loops[op.name] = found
            at.update(dict.fromkeys(op.outputs, found))
    return loops


def close_loops(graph: Graph) -> Graph:
    """The graph with its flat loops as ``Scan``s again; the same object if there are none."""
    loops = inside(graph)
    if not loops:
        return graph
    tensors, ops = dict(graph.tensors), list[Op]()
    for op in graph.ops:
        if isinstance(op.operator, LoopEnd):
            members = [inner for inner in graph.ops if loops.get(inner.name) == loops[op.name]]
            ops.append(_closed(graph, op, op.operator, members, tensors))
        elif op.name not in loops:
            ops.append(op)
    return graph.with_(tensors=tensors, ops=tuple(ops)).pruned()


def _closed(
    graph: Graph, end: Op, marker: LoopEnd, members: Sequence[Op], tensors: dict[str, Tensor]
) -> Op:
    """The ``Scan`` of one loop; tensors inside that are wanted outside are put into ``tensors``."""
    steps = [op for op in members if isinstance(op.operator, StepInput)]
    starts = [op for op in members if isinstance(op.operator, StateInput)]
    body = [op for op in members if not isinstance(op.operator, Marker)]
    seen = visible(graph, [*steps, *starts, *body], members)
    for name in seen:
        tensor = graph.tensors[name]
        tensors[name] = tensor.with_(shape=(tensor.shape[0], marker.steps, *tensor.shape[1:]))
    count = marker.states
    results = [*end.inputs[:count], *end.inputs[2 * count :]]
    cell = Graph(
        name=end.name,
        tensors=graph.tensors,
        ops=tuple(body),
        inputs={op.output: op.output for op in (*steps, *starts)},
        outputs={
            **{f"result_{i}": name for i, name in enumerate(results)},
            **{name: name for name in seen},
        },
    ).pruned()
    first = steps[0].operator
    assert isinstance(first, StepInput)
    initial = [name for op in starts for name in op.inputs]
    inputs = [*(op.inputs[0] for op in steps), *initial]
    outputs = (*end.outputs, *seen)
    return Op(
        outputs[0], Scan(cell, len(steps), not initial, first.reverse), tuple(inputs), outputs
    )


def visible(graph: Graph, makers: Sequence[Op], members: Sequence[Op]) -> list[str]:
    """The tensors of ``makers`` that outputs of the graph or ops outside the loop name."""
    own = {op.name for op in members}
    return [
        name
        for op in makers
        for name in op.outputs
        if graph.is_output(name) or any(r.name not in own for r in graph.consumers[name])
    ]
