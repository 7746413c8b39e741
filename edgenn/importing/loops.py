"""Loops over time, told from other loops by what they do with all that they carry.

The form is that of ``export/tflite/emitters/scan.py``: a number counts steps from 0 to the length
of the sequences; sequences are read at that place and handed on as they are; stacked outputs are
written there and not read; whatever else is carried is a state.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from edgenn.importing.context import Context
from edgenn.ir import ops
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops.scan import TIME
from edgenn.ir.tensor import Tensor

CARRIED = "/carried"
"""Behind the names of what a loop of edgenn's writer carries."""


def as_scan(op: Op, context: Context) -> Op | None:
    """A WHILE as a loop over time; ``None`` where it is another loop.

    Args:
        op: A ``While``; its outputs are the file's.
    """
    loop = op.operator
    assert isinstance(loop, ops.While)
    counter = counted(loop.condition)
    if counter is None:
        return None
    reader = Body(loop.body, counter, reversed_place(loop.body, counter))
    kinds = [reader.kind(index) for index in range(len(op.inputs))]
    if not reader.counts() or not starts_at_zero(context, op.inputs[counter]):
        return None
    chosen = {what: [i for i, kind in enumerate(kinds) if kind == what] for what in set(kinds)}
    sequences, states = chosen.get("sequence", []), chosen.get("state", [])
    stacks = chosen.get("stack", [])
    unread = [op.outputs[i] for i in (counter, *sequences)]
    if not sequences or any(context.is_read(name) for name in unread):
        return None
    if not same_length(loop, counter, [context.tensor(op.inputs[i]) for i in sequences]):
        return None
    steps = [(i, name) for i in sequences for name in reader.steps(i)]
    cell = reader.cell([name for _, name in steps], states, stacks)
    if cell is None:
        return None
    initial = [op.inputs[i] for i in states]
    zero = all(is_zero(context, name) for name in initial)
    operator = ops.Scan(cell, len(steps), zero, reverse=reader.is_reversed)
    inputs = [*(op.inputs[i] for i, _ in steps), *([] if zero else initial)]
    outputs = tuple(op.outputs[i] for i in (*states, *stacks))
    return Op(outputs[0], operator, tuple(inputs), outputs)


def counted(condition: Graph) -> int | None:
    """Which of the carried values is compared with the number of steps."""
    (name,) = condition.outputs.values()
    less = condition.producers.get(name)
    names = list(condition.inputs.values())
    if less is None or not isinstance(less.operator, ops.Less) or less.inputs[0] not in names:
        return None
    return names.index(less.inputs[0])


def length(graph: Graph, name: str) -> int | str | None:
    """A number of steps: the number itself, or the carried sequence whose length it is."""
    tensor = graph.tensors[name]
    if tensor.data is not None:
        return int(tensor.data) if tensor.data.size == 1 else None
    gather = graph.producers.get(name)
    if gather is None or not isinstance(gather.operator, ops.Gather):
        return None
    shape = graph.producers.get(gather.inputs[0])
    if not is_number(graph, gather.inputs[1], TIME) or shape is None:
        return None
    return shape.inputs[0] if isinstance(shape.operator, ops.ShapeOf) else None


def same_length(loop: ops.While, counter: int, sequences: Sequence[Tensor]) -> bool:
    """Whether the loop ends where the sequences do."""
    condition = loop.condition
    less = condition.producers[next(iter(condition.outputs.values()))]
    end = length(condition, less.inputs[1])
    if isinstance(end, int):
        return all(tensor.rank > TIME and tensor.shape[TIME] == end for tensor in sequences)
    return end is not None


def is_number(graph: Graph, name: str, value: int) -> bool:
    data = graph.tensors[name].data
    return data is not None and data.size == 1 and int(data.reshape(())) == value


def reversed_place(body: Graph, counter: int) -> str | None:
    """The tensor that counts from the last step to the first: ``length - step - 1``."""
    step = list(body.inputs.values())[counter]
    for left in body.consumers[step]:
        if isinstance(left.operator, ops.Sub) and left.inputs[1] == step:
            for op in body.consumers[left.output]:
                if isinstance(op.operator, ops.Sub) and is_number(body, op.inputs[1], 1):
                    return op.output if length(body, left.inputs[0]) is not None else None
    return None


def starts_at_zero(context: Context, name: str) -> bool:
    data = context.tensor(name).data
    return data is not None and data.size == 1 and not data.any()


def is_zero(context: Context, name: str) -> bool:
    """Whether a tensor of the graph so far stands for zeros, as the writer makes them."""
    tensor = context.tensor(name)
    if tensor.data is not None:
        zero_point = 0 if tensor.quantization is None else tensor.quantization.zero_point
        return bool(np.all(tensor.data == zero_point))
    producer = context.producer(name)
    if producer is None:
        return False
    if isinstance(producer.operator, ops.Quantize | ops.Cast):
        return is_zero(context, producer.inputs[0])
    if isinstance(producer.operator, ops.Mul):
        factors = [context.tensor(n) for n in producer.inputs]
        return any(t.data is not None and not t.real().any() for t in factors)
    return False


@dataclass(frozen=True)
class Body:
    """One step of a loop that counts.

    Attributes:
        counter: Which of the carried values is the number of the step.
        backwards: The tensor that counts from the last step to the first, if there is one.
    """

    graph: Graph
    counter: int
    backwards: str | None

    @property
    def carried(self) -> list[str]:
        return list(self.graph.inputs.values())

    @property
    def results(self) -> list[str]:
        return list(self.graph.outputs.values())

    @property
    def is_reversed(self) -> bool:
        return self.backwards is not None

    @property
    def place(self) -> str:
        """The tensor that says which step of the sequences is read."""
        return self.carried[self.counter] if self.backwards is None else self.backwards

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
