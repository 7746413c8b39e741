"""Long loops as loops over blocks of steps.

LiteRT's WHILE copies all that the loop carries at each step, what is stacked over time included:
the cost of a loop over T steps grows with T². A loop over √T blocks, each a loop over √T steps
with a stack of its own, copies √T times less; very long ones have three levels.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, isqrt, prod
from typing import Final

import numpy as np

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops.moving import Mover
from edgenn.ir.ops.scan import TIME, Scan
from edgenn.ir.ops.shape import Concatenation, Reshape, StridedSlice
from edgenn.ir.tensor import Tensor

Names = Sequence[str]

WORTH_BYTES: Final = 1 << 23
"""Copied for the stacks of one sequence; below this the blocks themselves cost more."""


SHORTEST: Final = 64
"""Steps below which a loop stays as it is."""
TWO_LEVELS: Final = 1_000
"""Steps up to which blocks of √T steps will do."""


def in_blocks(graph: Graph) -> Graph:
    """The graph with its long loops of fixed length in blocks; the same object if it has none."""
    chosen = {op.name for op in graph.ops if is_long(graph, op)}
    if not chosen:
        return graph
    builder = GraphBuilder.from_graph(graph)
    for op in graph.ops:
        if op.name in chosen:
            _Writer(builder, op).write()
        else:
            builder.ops.append(op)
    blocked = builder.finish(graph.outputs).with_(metadata=graph.metadata)
    return in_blocks(blocked)  # what fills no block may be long, too


def is_long(graph: Graph, op: Op) -> bool:
    """Whether blocks are worth it, and there are none yet."""
    if not isinstance(op.operator, Scan):
        return False
    if any(isinstance(inner.operator, Scan) for inner in op.operator.cell.ops):
        return False
    steps = graph.tensors[op.inputs[0]].shape[TIME]
    stacks = [graph.tensors[name] for name in op.outputs[op.operator.states :]]
    if steps is None or steps < SHORTEST:
        return False
    return steps * sum(map(size_bytes, stacks)) >= WORTH_BYTES


def size_bytes(tensor: Tensor) -> int:
    """Of one row of the batch."""
    return prod(size or 1 for size in tensor.shape[1:]) * np.dtype(tensor.dtype).itemsize


class _Writer:
    """Writes one loop: the blocks, and a loop over the steps that fill no block."""

    def __init__(self, builder: GraphBuilder, op: Op) -> None:
        assert isinstance(op.operator, Scan)
        self.builder = builder
        self.op = op
        self.scan = op.operator
        steps = builder.tensors[op.inputs[0]].shape[TIME]
        assert steps is not None
        self.block = isqrt(steps) if steps <= TWO_LEVELS else ceil(steps ** (2 / 3))
        self.count = steps // self.block
        self.cut = self.count * self.block
        self.sequences = op.inputs[: self.scan.sequences]
        self.initial = op.inputs[self.scan.sequences :]
        self.finals = op.outputs[: self.scan.states]
        self.stacks = op.outputs[self.scan.states :]
        self.is_whole = self.cut == steps

    def write(self) -> None:
        if self.is_whole:
            self.blocks(self.initial, self.finals, self.stacks)
            return
        between = [self.like(name, f"{name}/between") for name in self.finals]
        first = [self.like(name, f"{name}/blocks", self.cut) for name in self.stacks]
        rest = self.builder.tensors[self.sequences[0]].shape[TIME] or 0
        last = [self.like(name, f"{name}/rest", rest - self.cut) for name in self.stacks]
        if self.scan.reverse:
            self.rest(self.initial, between, last)
            self.blocks(between, self.finals, first)
        else:
            self.blocks(self.initial, between, first)
            self.rest(between, self.finals, last)
        for name, parts in zip(self.stacks, zip(first, last, strict=True), strict=True):
            self.builder.ops.append(Op(name, Concatenation(TIME), parts, (name,)))

    def blocks(self, states: Names, finals: Names, stacks: Names) -> None:
        """The steps that fill whole blocks."""
        inputs = [self.in_blocks(name) for name in self.sequences]
        cell = self.cell_of_block()
        scan = replace(self.scan, cell=cell, zero_state=not states)
        shapes = [self.builder.tensors[name].shape for name in stacks]
        raw = [self.like(name, f"{name}/in_blocks") for name in stacks]
        for name, shape in zip(raw, shapes, strict=True):
            split = (shape[0], self.count, self.block, *shape[TIME + 1 :])
            self.builder.tensors[name] = self.builder.tensors[name].with_(shape=split)
        outputs = (*finals, *raw)
        self.builder.ops.append(Op(outputs[0], scan, (*inputs, *states), outputs))
        for name, source, shape in zip(stacks, raw, shapes, strict=True):
            operator = Reshape(tuple(-1 if size is None else size for size in shape))
            self.builder.ops.append(Op(name, operator, (source,), (name,)))

    def rest(self, states: Names, finals: Names, stacks: Names) -> None:
        """The steps behind the last whole block."""
        inputs = [self.part(name, self.cut, None) for name in self.sequences]
        outputs = (*finals, *stacks)
        scan = replace(self.scan, zero_state=not states)
        self.builder.ops.append(Op(outputs[0], scan, (*inputs, *states), outputs))

    def cell_of_block(self) -> Graph:
        """One block as a cell: a loop over its steps."""
        steps, states = self.scan.step_tensors, self.scan.state_tensors
        results = list(self.scan.cell.output_tensors())
        scope = f"{self.op.name}/block"
        tensors = [
            *(in_time(tensor, self.block, f"{scope}/{tensor.name}") for tensor in steps),
            *(tensor.with_(name=f"{scope}/{tensor.name}") for tensor in states),
        ]
        finals = [
            tensor.with_(name=f"{scope}/final_{i}", data=None)
            for i, tensor in enumerate(results[: len(states)])
        ]
        stacks = [
            in_time(tensor, self.block, f"{scope}/stack_{i}")
            for i, tensor in enumerate(results[len(states) :])
        ]
        inner = replace(self.scan, zero_state=not states)
        inputs, outputs = ([t.name for t in part] for part in (tensors, [*finals, *stacks]))
        cell = Graph(
            name=scope,
            tensors={t.name: t for t in (*tensors, *finals, *stacks)},
            ops=(Op(outputs[0], inner, tuple(inputs), tuple(outputs)),),
            inputs={name: name for name in inputs},
            outputs={name: name for name in outputs},
        )
        return in_blocks(cell)

    def in_blocks(self, name: str) -> str:
        """A sequence ``(B, T, …)`` as ``(B, blocks, steps of a block, …)``."""
        x = name if self.is_whole else self.part(name, None, self.cut)
        batch, _, *rest = self.builder.tensors[x].shape
        sizes = (batch, self.count, self.block, *rest)
        return self.add(Reshape(tuple(-1 if size is None else size for size in sizes)), x, name)

    def part(self, name: str, begin: int | None, end: int | None) -> str:
        """Some steps of a sequence."""
        rank = self.builder.tensors[name].rank
        none = (None,) * (rank - TIME - 1)
        cut = StridedSlice((None, begin, *none), (None, end, *none), (1,) * rank)
        return self.add(cut, name, name)

    def add(self, operator: Mover, x: str, source: str) -> str:
        """Adds an op whose values are those of ``source``."""
        result = self.builder.add(operator, [x], f"{source}/{operator.kind}")
        quantization = self.builder.tensors[source].quantization
        self.builder.tensors[result] = self.builder.tensors[result].with_(quantization=quantization)
        return result

    def like(self, name: str, new: str, steps: int | None = None) -> str:
        """A tensor of another's type, or of some of its steps."""
        new = self.builder.unique(new)
        tensor = self.builder.tensors[name].with_(name=new)
        if steps is not None:
            tensor = tensor.with_(shape=(tensor.shape[0], steps, *tensor.shape[TIME + 1 :]))
        self.builder.tensors[new] = tensor
        return new


def in_time(tensor: Tensor, steps: int, name: str) -> Tensor:
    """One step's tensor at several steps."""
    return tensor.with_(name=name, shape=(tensor.shape[0], steps, *tensor.shape[1:]), data=None)
