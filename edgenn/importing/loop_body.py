"""One step of a loop: what its graph does with each value that the loop carries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edgenn.ir import ops
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops.scan import TIME

CARRIED = "/carried"
"""Behind the names of what a loop of edgenn's writer carries."""


@dataclass(frozen=True)
class Length:
    """A number of steps: a number, or the length of a carried sequence.

    Attributes:
        number: The number itself; ``None`` where it is that of a sequence.
        carried: Which of the carried values that is.
    """

    number: int | None = None
    carried: int | None = None


def length(graph: Graph, name: str) -> Length | None:
    """The number of steps that a tensor holds; ``None`` where it holds something else."""
    data = graph.tensors[name].data
    if data is not None:
        return Length(number=int(data.reshape(()))) if data.size == 1 else None
    gather = graph.producers.get(name)
    if gather is None or not isinstance(gather.operator, ops.Gather):
        return None
    shape = graph.producers.get(gather.inputs[0])
    if not is_number(graph, gather.inputs[1], TIME) or shape is None:
        return None
    names = list(graph.inputs.values())
    if not isinstance(shape.operator, ops.ShapeOf) or shape.inputs[0] not in names:
        return None
    return Length(carried=names.index(shape.inputs[0]))


def is_number(graph: Graph, name: str, value: int) -> bool:
    data = graph.tensors[name].data
    return data is not None and data.size == 1 and int(data.reshape(())) == value


def places_from_the_end(body: Graph, counter: int) -> Op | None:
    """The op of ``length - step``, one more than the place of a step counted from the end."""
    step = list(body.inputs.values())[counter]
    for left in body.consumers[step]:
        if isinstance(left.operator, ops.Sub) and left.inputs[1] == step:
            return left
    return None


@dataclass(frozen=True)
class Body:
    """One step of a loop that counts.

    Attributes:
        counter: Which of the carried values is the number of the step.
        left: The op that counts the steps that are left, in a loop from the last to the first.
    """

    graph: Graph
    counter: int
    left: Op | None

    @property
    def carried(self) -> list[str]:
        return list(self.graph.inputs.values())

    @property
    def results(self) -> list[str]:
        return list(self.graph.outputs.values())

    @property
    def is_reversed(self) -> bool:
        return self.left is not None

    @property
    def ends(self) -> list[Length | None]:
        """What the places of a loop from the end are counted from."""
        return [] if self.left is None else [length(self.graph, self.left.inputs[0])]

    @property
    def place(self) -> str:
        """The tensor that says which step of the sequences is read."""
        if self.left is not None:
            for op in self.graph.consumers[self.left.output]:
                if isinstance(op.operator, ops.Sub) and is_number(self.graph, op.inputs[1], 1):
                    return op.output
        return self.carried[self.counter]

    def counts(self) -> bool:
        """Whether the number of the step grows by one."""
        add = self.graph.producers.get(self.results[self.counter])
        if add is None or not isinstance(add.operator, ops.Add):
            return False
        step = self.carried[self.counter]
        others = [name for name in add.inputs if name != step]
        return len(others) == 1 and is_number(self.graph, others[0], 1)

    def kind(self, index: int) -> str:
        """What a carried value is: counter, sequence, stack or state."""
        name, result = self.carried[index], self.results[index]
        if index == self.counter:
            return "counter"
        if name == result and self.steps(index) and self.is_only_read_by_steps(index):
            return "sequence"
        return "stack" if self.stacked(index) is not None else "state"

    def is_only_read_by_steps(self, index: int) -> bool:
        return all(
            self.step_of(op) is not None or isinstance(op.operator, ops.ShapeOf)
            for op in self.graph.consumers[self.carried[index]]
        )

    def steps(self, index: int) -> list[str]:
        """The tensors that hold one step of a carried sequence."""
        found = [self.step_of(op) for op in self.graph.consumers[self.carried[index]]]
        return [name for name in found if name is not None]

    def step_of(self, op: Op) -> str | None:
        """The step of its input that an op reads; ``None`` where it does something else."""
        if isinstance(op.operator, ops.Gather):
            reads = op.operator.axis == TIME and op.inputs[1] == self.place
            return op.output if reads and self.graph.tensors[self.place].rank == 0 else None
        if not isinstance(op.operator, ops.SliceAt) or not self.is_at_place(op.inputs[1]):
            return None
        readers = self.graph.consumers[op.output]
        if op.operator.sizes[TIME] != 1 or len(readers) != 1:
            return None
        return readers[0].output if isinstance(readers[0].operator, ops.Reshape) else None

    def is_at_place(self, name: str) -> bool:
        """Whether a tensor is ``(0, place, 0, …)``."""
        pack = self.graph.producers.get(name)
        if pack is None or not isinstance(pack.operator, ops.Pack):
            return False
        return all(
            part == self.place if axis == TIME else is_number(self.graph, part, 0)
            for axis, part in enumerate(pack.inputs)
        )

    def stacked(self, index: int) -> str | None:
        """What is put into a carried stack at this step; ``None`` where it is no stack."""
        name = self.carried[index]
        update = self.graph.producers.get(self.results[index])
        if update is None or not isinstance(update.operator, ops.UpdateSlice):
            return None
        whole, part, start = update.inputs
        row = self.graph.producers.get(part)
        if whole != name or len(self.graph.consumers[name]) != 1 or not self.is_at_place(start):
            return None
        lifted = row is not None and isinstance(row.operator, ops.ExpandDims | ops.Reshape)
        return row.inputs[0] if row is not None and lifted else None

    def cell(
        self, steps: Sequence[str], states: Sequence[int], stacks: Sequence[int]
    ) -> Graph | None:
        """The graph of one step; ``None`` where it needs more than steps and states."""
        befores = [self.carried[i] for i in states]
        outputs = [*(self.results[i] for i in states), *map(self.stacked_of, stacks)]
        made = {name for op in self.graph.ops for name in op.outputs}
        given = (*steps, *befores)
        cell = self.graph.with_(
            ops=tuple(op for op in self.graph.ops if not set(op.outputs) & set(steps)),
            inputs={name: name for name in given},
            outputs={f"result_{i}": name for i, name in enumerate(outputs)},
        ).pruned()
        known = made.union(given) - {self.place}
        free = [
            name
            for name in {*(n for op in cell.ops for n in op.inputs), *outputs}
            if name not in known and not self.graph.tensors[name].is_constant
        ]
        return None if free or not outputs else tidied(cell, befores)

    def stacked_of(self, index: int) -> str:
        name = self.stacked(index)
        assert name is not None
        return name


def tidied(cell: Graph, states: Collection[str]) -> Graph:
    """The cell with its batch open, its states called as they were before they were written."""
    renamed = {
        name: name.removesuffix(CARRIED)
        for name in states
        if name.endswith(CARRIED) and name.removesuffix(CARRIED) not in cell.tensors
    }

    def new(name: str) -> str:
        return renamed.get(name, name)

    given = set(cell.inputs.values())
    tensors = {
        new(name): tensor.with_(
            name=new(name),
            shape=(None, *tensor.shape[1:]) if name in given else tensor.shape,
        )
        for name, tensor in cell.tensors.items()
    }
    ops_ = tuple(
        Op(op.name, op.operator, tuple(map(new, op.inputs)), op.outputs) for op in cell.ops
    )
    return Graph(
        cell.name,
        tensors,
        ops_,
        {new(name): new(name) for name in cell.inputs.values()},
        {public: new(name) for public, name in cell.outputs.items()},
    )
