"""A graph that runs over time as one that runs one step; the states go in and come out.

What has an axis of time keeps it, with size 1. Loops become one application of their cells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgenn.errors import UnsupportedError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.inlining import inline
from edgenn.ir.operator import Operator
from edgenn.ir.ops import Add, CumSum, ExpandDims, Reshape, Scan, Squeeze
from edgenn.ir.ops.reduction import normalized
from edgenn.ir.ops.scan import TIME
from edgenn.ir.stepping import with_step
from edgenn.ir.tensor import Shape, Tensor
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.lowering.recurrent.time.initial import ZERO, Given, first_value, with_fixed_states
from edgenn.lowering.recurrent.time.one_step import at_one_step, constant_at_one_step
from edgenn.lowering.recurrent.time.steps import LOOP_HINT, Steps
from edgenn.runtime.step_info import State, StepInfo


def to_step(graph: Graph) -> Graph:
    """The graph for one step; float or quantised.

    Its inputs and outputs keep their names. An axis of time has size 1 in them. States are
    further inputs, such as ``lstm/h``, and outputs, such as ``lstm/h_next``, of equal type: what
    comes out goes in at the next step. An input that gave an initial state is now the state.

    Raises:
        UnsupportedError: An op that mixes steps, or runs from the last to the first; sequences
            that are made inside the model; what is known only after the last step and used at
            each.
    """
    return StepWriter(with_fixed_states(to_loops(graph))).write()


class StepWriter:
    """Writes the ops of one step."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.steps = Steps(graph)
        self.builder = GraphBuilder.from_graph(graph)
        self.replaced: dict[str, str] = {}
        """Tensors that are another tensor now."""
        self.awaited: dict[str, str] = {}
        """Tensor → the op whose last step it needs."""
        self.states: list[State] = []
        self.next_states: dict[str, str] = {}
        """Public name of an output that is a state → its tensor."""

    def write(self) -> Graph:
        loops = {op.name for op in self.steps.loops}
        self.cut_inputs()
        for op in self.graph.ops:
            self.steps.check(op)
            self.await_last(op)
            if op.name in loops:
                assert isinstance(op.operator, Scan)
                self.apply_cell(op, op.operator)
            elif isinstance(op.operator, CumSum) and self.runs_over_time(op, op.operator):
                self.go_on_adding(op)
            else:
                self.keep(op)
        outputs = {public: self.now(name) for public, name in self.graph.outputs.items()}
        info = StepInfo(
            tuple(self.states),
            self.time_axes(self.graph.inputs),
            self.time_axes(self.graph.outputs),
        )
        return with_step(self.builder.finish({**outputs, **self.next_states}), info)

    def time_axes(self, names: Mapping[str, str]) -> dict[str, int]:
        """Public name → axis of time, where there is one."""
        axes = {public: self.steps.time_axis(name, public) for public, name in names.items()}
        return {public: axis for public, axis in axes.items() if axis is not None}

    def cut_inputs(self) -> None:
        for name in self.graph.inputs.values():
            tensor, layout = self.graph.tensors[name], self.steps.layouts.layout(name)
            shape = tuple(
                1 if self.steps.run_along(axis) else size
                for size, axis in zip(tensor.shape, layout, strict=True)
            )
            self.builder.tensors[name] = tensor.with_(shape=shape)

    def now(self, name: str) -> str:
        """What a tensor is at one step."""
        return self.replaced.get(name, name)

    # what is known only after the last step

    def await_last(self, op: Op) -> None:
        """Notes what has to wait for the end of a sequence, and refuses what cannot."""
        if self.steps.single:
            return
        sources = [self.awaited[name] for name in op.inputs if name in self.awaited]
        taken = self.steps.layouts.last.get(op.name)
        if taken is not None and self.steps.is_step(taken):
            sources.append(op.name)
        is_loop = op in self.steps.loops
        if sources and (is_loop or any(map(self.steps.has_time, op.outputs))):
            raise UnsupportedError(
                f"{self.steps.named(op)} needs at each step what {sources[0]} gives"
                " after the last one",
                LOOP_HINT,
            )
        if sources:
            self.awaited.update(dict.fromkeys(op.outputs, sources[0]))
        if is_loop and isinstance(op.operator, Scan):
            final = op.outputs[: op.operator.states]
            self.awaited.update(dict.fromkeys(final, self.steps.layer(op)))

    # ops

    def keep(self, op: Op) -> None:
        """The same op on one step."""
        inputs = [self.now(name) for name in op.inputs]
        for meeting in self.steps.layouts.constants.get(op.name, ()):
            axis = self.steps.layouts.layout(op.outputs[0])[meeting.output_axis]
            if self.steps.run_along(axis) and not self.steps.single:
                inputs[meeting.input] = self.constant(op, inputs[meeting.input], meeting.axis)
        self.put(at_one_step(op, self.steps), inputs, op.outputs)

    def constant(self, op: Op, name: str, axis: int) -> str:
        """A constant with the same values at every step, for one."""
        cut = constant_at_one_step(self.builder.tensors[name], axis)
        if cut is None:
            raise UnsupportedError(
                f"{self.steps.named(op)} has other constants at each step", LOOP_HINT
            )
        assert cut.data is not None
        return self.builder.constant(name, cut.data, cut.quantization)

    def put(self, operator: Operator, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Adds an op that makes tensors of the graph, in the shapes that they have at one step."""
        types = operator.infer([self.builder.tensors[name] for name in inputs])
        for name, type_ in zip(outputs, types, strict=True):
            tensor = self.graph.tensors[name]
            self.builder.tensors[name] = tensor.with_(shape=type_.shape)
        self.builder.ops.append(Op(outputs[0], operator, tuple(inputs), tuple(outputs)))

    # states

    def apply_cell(self, op: Op, scan: Scan) -> None:
        """One application of a loop's cell."""
        layer = self.steps.layer(op)
        if scan.reverse and not self.steps.single:
            raise UnsupportedError(
                f"{self.steps.named(op)} runs from the last step to the first, and a step has one",
                LOOP_HINT,
            )
        sequences = op.inputs[: scan.sequences]
        inputs = [
            self.without_time(self.now(name), tensor.name)
            for name, tensor in zip(sequences, scan.step_tensors, strict=True)
        ]
        batch = self.builder.tensors[self.now(sequences[0])].shape[0]
        initial = [None] * scan.states if scan.zero_state else op.inputs[scan.sequences :]
        known = len(self.states)
        for tensor, start in zip(scan.state_tensors, initial, strict=True):
            public = f"{layer}/{tensor.name.rpartition('/')[2]}"
            state = tensor.with_(shape=(batch, *tensor.shape[1:]))
            inputs.append(self.add_state(public, state, layer, start))
        before = len(self.builder.ops)
        results = inline(self.builder, scan.cell, inputs, "")
        for added, name in zip(self.states[known:], results, strict=False):
            self.next_states[added.output] = name
        for output, name in zip(op.outputs, results, strict=False):
            if output in op.outputs[: scan.states]:
                self.replaced[output] = name
            else:
                self.with_time(name, output)
        self.take_names(dict(zip(op.outputs[: scan.states], results, strict=False)), before)

    def add_state(self, public: str, like: Tensor, layer: str, start: str | None) -> str:
        """A state as an input; the input that gave its initial value becomes it.

        Args:
            like: Its type.
            start: The tensor that it begins with; ``None`` for zeros.
        """
        first = ZERO if start is None else first_value(self.graph, start, layer)
        if None in like.shape[1:]:
            raise UnsupportedError(
                f"{layer}: a state has open sizes: {like.shape}",
                "give the model's input a fixed size",
            )
        if isinstance(first, Given):
            name, public, values = self.builder.inputs[first.public], first.public, None
        else:
            public, values = self.free(public), first
            name = self.builder.input(public, like.shape)
        self.builder.tensors[name] = like.with_(name=name)
        self.states.append(State(public, self.free(f"{public}_next"), values))
        return name

    def free(self, public: str) -> str:
        """The public name, or one like it that no input or output has."""
        taken = {*self.builder.inputs, *self.graph.outputs}
        taken.update(state.output for state in self.states)
        candidate, count = public, 0
        while candidate in taken:
            count += 1
            candidate = f"{public}_{count}"
        return candidate

    def take_names(self, wanted: Mapping[str, str], before: int) -> None:
        """Gives final states, which are what the cell makes, the names of the loop's outputs.

        Args:
            wanted: Output of the loop → what the cell makes.
            before: Where in the builder's ops those of the cell begin.
        """
        made = {name for op in self.builder.ops[before:] for name in op.outputs}
        new: dict[str, str] = {}
        for output, name in wanted.items():
            if name in made and name not in new and name not in self.graph.tensors:
                new[name] = output
                self.builder.tensors[output] = self.builder.tensors.pop(name).with_(name=output)
        self.builder.ops[before:] = [
            replace(
                op,
                name=new.get(op.name, op.name),
                inputs=tuple(new.get(name, name) for name in op.inputs),
                outputs=tuple(new.get(name, name) for name in op.outputs),
            )
            for op in self.builder.ops[before:]
        ]
        for names in (self.replaced, self.next_states):
            names.update({key: new.get(name, name) for key, name in names.items()})

    def without_time(self, name: str, new: str) -> str:
        """``(B, 1, …)`` as ``(B, …)``."""
        shape = self.builder.tensors[name].shape
        flat = (*shape[:TIME], *shape[TIME + 1 :])
        operator = reshape_to(flat) if flat.count(None) <= 1 else Squeeze((TIME,))
        result = self.builder.add(operator, [name], new)
        quantization = self.builder.tensors[name].quantization
        self.builder.tensors[result] = self.builder.tensors[result].with_(quantization=quantization)
        return result

    def with_time(self, name: str, output: str) -> None:
        """``(B, …)`` as ``(B, 1, …)``, an output of a loop."""
        shape = self.builder.tensors[name].shape
        wide = (*shape[:TIME], 1, *shape[TIME:])
        operator = reshape_to(wide) if wide.count(None) <= 1 else ExpandDims(TIME)
        self.put(operator, [name], [output])

    # running sums

    def runs_over_time(self, op: Op, operator: CumSum) -> bool:
        (layout,) = (self.steps.layouts.layout(name) for name in op.inputs)
        axis = layout[normalized(operator.axis, len(layout))]
        return self.steps.run_along(axis) and not self.steps.single

    def go_on_adding(self, op: Op) -> None:
        """A running sum: the sum so far is a state."""
        x = self.builder.tensors[self.now(op.inputs[0])]
        total = self.add_state(f"{op.name}/sum", x, op.name, None)
        self.put(Add(), [x.name, total], op.outputs)
        self.next_states[self.states[-1].output] = op.outputs[0]


def reshape_to(shape: Shape) -> Reshape:
    """The reshape to a shape with at most one open size."""
    return Reshape(tuple(-1 if size is None else size for size in shape))
