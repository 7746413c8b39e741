"""Loops over a fixed number of steps as that many copies of the cell.

A copy of step ``t`` has its tensors under ``…/step_t/``. What is the same at every step, the
constants and what is computed of them alone, is there once.
"""

from collections.abc import Mapping
from dataclasses import replace

from edgenn.errors import UnsupportedError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.inlining import inline
from edgenn.ir.ops.recurrent import Recurrent
from edgenn.ir.ops.scan import TIME, Scan
from edgenn.ir.ops.shape import Pack, StridedSlice
from edgenn.ir.tensor import Tensor
from edgenn.lowering.recurrent.first_states import first_states
from edgenn.lowering.recurrent.loop import to_loops


def unrolled(graph: Graph) -> Graph:
    """The graph with copies of a cell for every recurrent operator and loop.

    Raises:
        UnsupportedError: A layer whose number of steps is open.
    """
    require_steps(graph)
    return to_copies(to_loops(graph))


def require_steps(graph: Graph) -> None:
    """Whether all loops can be unrolled.

    Raises:
        UnsupportedError: A layer whose number of steps is open.
    """
    for op in graph.ops:
        if isinstance(op.operator, Recurrent | Scan) and steps_of(graph, op) is None:
            raise UnsupportedError(
                f"{op.name.removesuffix('/sequence')}: its number of steps is open, so that it"
                " cannot be unrolled",
                "--rnn loop takes any number; or give the model's input a fixed length",
            )


def to_copies(graph: Graph) -> Graph:
    """The graph with copies of the cell for each ``Scan`` whose number of steps is fixed.

    Others stay. The same object if there is nothing to do.
    """
    if not any(isinstance(op.operator, Scan) and steps_of(graph, op) for op in graph.ops):
        return graph
    builder = GraphBuilder.from_graph(graph)
    replaced: dict[str, str] = {}
    for op in graph.ops:
        op = replace(op, inputs=tuple(replaced.get(name, name) for name in op.inputs))
        steps = steps_of(graph, op)
        if steps and isinstance(op.operator, Scan):
            replaced.update(Unroller(builder, op, steps).write())
        else:
            builder.ops.append(op)
    outputs = {public: replaced.get(name, name) for public, name in graph.outputs.items()}
    return builder.finish(outputs).with_(metadata=graph.metadata)


def steps_of(graph: Graph, op: Op) -> int | None:
    """The number of steps of a loop; ``None`` if it is open, or the op is no loop."""
    if not isinstance(op.operator, Recurrent | Scan):
        return None
    return graph.tensors[op.inputs[0]].shape[TIME]


def ops_of_copies(graph: Graph) -> int:
    """How many ops ``unrolled`` makes out of the graph's loops and recurrent operators."""
    looped = to_loops(graph)
    count = 0
    for op in looped.ops:
        steps = steps_of(looped, op)
        if steps and isinstance(op.operator, Scan):
            scan, cell = op.operator, op.operator.cell
            inner = len(varying_ops(cell)) + ops_of_copies(cell)
            stacked = len(cell.outputs) - scan.states
            count += steps * (scan.sequences + inner) + stacked
    return count


def varying_ops(cell: Graph) -> list[Op]:
    """The ops that depend on the step: all but those that read constants alone."""
    fixed = {name for name, tensor in cell.tensors.items() if tensor.is_constant}
    varying = []
    for op in cell.ops:
        if fixed.issuperset(op.inputs):
            fixed.update(op.outputs)
        else:
            varying.append(op)
    return varying


class Unroller:
    """Writes the copies of one loop."""

    def __init__(self, builder: GraphBuilder, op: Op, steps: int) -> None:
        assert isinstance(op.operator, Scan)
        self.builder = builder
        self.op = op
        self.steps = steps
        self.scan = replace(op.operator, cell=to_copies(op.operator.cell))
        self.scope = self.scan.cell.name or op.name
        self.cell, self.shared = self.split_off_constants()

    def write(self) -> dict[str, str]:
        """Adds the ops; gives what stands for outputs of the loop that are no output of an op."""
        before = len(self.builder.ops)
        sequences = self.op.inputs[: self.scan.sequences]
        states = first_states(self.builder, self.op, self.scan, self.scope)
        order = range(self.steps - 1, -1, -1) if self.scan.reverse else range(self.steps)
        columns: dict[int, list[str]] = {}
        for step in order:
            scope = f"{self.scope}/step_{step}/"
            now = [
                self.slice(sequence, step, f"{scope}{self.local(tensor.name)}")
                for sequence, tensor in zip(sequences, self.scan.step_tensors, strict=True)
            ]
            results = inline(self.builder, self.cell, [*now, *states, *self.shared], scope)
            states, columns[step] = results[: self.scan.states], results[self.scan.states :]
        final = self.op.outputs[: self.scan.states]
        stacked = self.op.outputs[self.scan.states :]
        for index, name in enumerate(stacked):
            column = tuple(columns[step][index] for step in range(self.steps))
            self.builder.ops.append(Op(name, Pack(TIME), column, (name,)))
        return self.rename(dict(zip(final, states, strict=True)), before)

    def local(self, name: str) -> str:
        """A cell's name without the cell's own scope."""
        return name.removeprefix(f"{self.scope}/")

    def slice(self, sequence: str, step: int, name: str) -> str:
        """One step of a sequence."""
        after = self.builder.tensors[sequence].rank - TIME - 1
        operator = StridedSlice(
            (None,) * TIME + (step,) + (None,) * after,
            (None,) * TIME + (step + 1,) + (None,) * after,
            (1,) * (TIME + 1 + after),
            squeezed=(TIME,),
        )
        quantization = self.builder.tensors[sequence].quantization
        result = self.builder.add(operator, [sequence], name)
        self.builder.tensors[result] = self.builder.tensors[result].with_(quantization=quantization)
        return result

    def split_off_constants(self) -> tuple[Graph, list[str]]:
        """The cell, which takes what does not vary as further inputs; the builder's names of it.

        The cell's names lose its scope, as each copy gets one of its own.
        """
        cell = self.scan.cell
        varying = varying_ops(cell)
        names = {t.name: self.place(t) for t in cell.tensors.values() if t.is_constant}
        for op in cell.ops:
            if not any(op is other for other in varying):
                names.update(self.compute_once(op, names))
        local = {name: name for name in names}
        for name in (name for name in cell.tensors if name not in names):
            short = self.local(name)
            local[name] = name if short in local.values() else short
        tensors = {
            local[t.name]: t.with_(name=local[t.name], data=None) for t in cell.tensors.values()
        }
        ops = tuple(renamed(op, local) for op in varying)
        inputs = {public: local[name] for public, name in cell.inputs.items()}
        outputs = {public: local[name] for public, name in cell.outputs.items()}
        inputs.update((f"shared {name}", name) for name in names)
        copied = Graph(cell.name, tensors, ops, inputs, outputs)
        return copied, list(names.values())

    def compute_once(self, op: Op, names: Mapping[str, str]) -> dict[str, str]:
        """Adds an op on constants alone; the cell's names of its outputs and the builder's."""
        inputs = [names[name] for name in op.inputs]
        made = self.builder.add_multiple(op.operator, inputs, op.outputs)
        for name, new in zip(op.outputs, made, strict=True):
            quantization = self.scan.cell.tensors[name].quantization
            self.builder.tensors[new] = self.builder.tensors[new].with_(quantization=quantization)
        return dict(zip(op.outputs, made, strict=True))

    def place(self, tensor: Tensor) -> str:
        """A constant of the cell in the builder; the one of that name where it is the same."""
        known = self.builder.tensors.get(tensor.name)
        if known is not None and known.data is tensor.data:
            return tensor.name
        assert tensor.data is not None
        return self.builder.constant(tensor.name, tensor.data, tensor.quantization)

    def rename(self, states: dict[str, str], before: int) -> dict[str, str]:
        """Gives the last states the names of the loop's outputs.

        Args:
            states: Output of the loop → what the last step makes.
            before: Where in the builder's ops the copies begin.

        Returns:
            Those that no copy makes under a name of its own.
        """
        made = {name for op in self.builder.ops[before:] for name in op.outputs}
        new: dict[str, str] = {}
        left = {}
        for output, name in states.items():
            if name in made and name not in new:
                new[name] = output
                del self.builder.tensors[name]
            else:
                left[output] = new.get(name, name)
        self.builder.ops[before:] = [renamed(op, new) for op in self.builder.ops[before:]]
        return left


def renamed(op: Op, new: Mapping[str, str]) -> Op:
    """The op, its tensors called by their new names."""
    inputs, outputs = (tuple(new.get(n, n) for n in names) for names in (op.inputs, op.outputs))
    return Op(new.get(op.name, op.name), op.operator, inputs, outputs)
