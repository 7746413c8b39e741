"""A graph: tensors, the ops that make them in topological order, inputs and outputs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from edgenn.ir.operator import Operator
from edgenn.ir.tensor import Tensor


@dataclass(frozen=True)
class Op:
    """One application of an operator: which tensors go in, which come out."""

    name: str
    operator: Operator
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def kind(self) -> str:
        return self.operator.kind

    @property
    def output(self) -> str:
        """The only output's name."""
        (output,) = self.outputs
        return output


@dataclass(frozen=True)
class Graph:
    """An immutable model; a pass returns a new one.

    Attributes:
        name: The model's name.
        tensors: Every tensor by name.
        ops: In topological order.
        inputs: Public name → tensor name, in the model's order.
        outputs: Public name → tensor name, in the model's order.
    """

    name: str
    tensors: Mapping[str, Tensor]
    ops: tuple[Op, ...]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def with_(self, **changes: Any) -> Self:
        return replace(self, **changes)

    @cached_property
    def producers(self) -> dict[str, Op]:
        """Tensor name → the op that makes it."""
        return {name: op for op in self.ops for name in op.outputs}

    @cached_property
    def consumers(self) -> dict[str, list[Op]]:
        """Tensor name → the ops that read it, in order, each once."""
        readers: dict[str, list[Op]] = {name: [] for name in self.tensors}
        for op in self.ops:
            for name in dict.fromkeys(op.inputs):
                readers[name].append(op)
        return readers

    def is_output(self, name: str) -> bool:
        return name in self.outputs.values()

    def input_tensors(self) -> Iterator[Tensor]:
        return (self.tensors[name] for name in self.inputs.values())

    def output_tensors(self) -> Iterator[Tensor]:
        return (self.tensors[name] for name in self.outputs.values())

    def operands(self, op: Op) -> list[Tensor]:
        return [self.tensors[name] for name in op.inputs]

    def results(self, op: Op) -> list[Tensor]:
        return [self.tensors[name] for name in op.outputs]

    def macs(self) -> int:
        """Multiply-accumulates for one sample."""
        return sum(op.operator.macs(self.operands(op), self.results(op)) for op in self.ops)

    def pruned(self) -> Self:
        """Without the ops that reach no output, and without tensors nobody names."""
        needed = set(self.outputs.values())
        kept: list[Op] = []
        for op in reversed(self.ops):
            if needed.intersection(op.outputs):
                needed.update(op.inputs)
                kept.append(op)
        kept.reverse()
        named = {name for op in kept for name in (*op.inputs, *op.outputs)}
        named.update(self.inputs.values(), self.outputs.values())
        tensors = {name: tensor for name, tensor in self.tensors.items() if name in named}
        return self.with_(ops=tuple(kept), tensors=tensors)


def rewritten(graph: Graph, tensors: Mapping[str, Tensor], ops: Sequence[Op]) -> Graph:
    """``graph`` with other ops and tensors, pruned."""
    return graph.with_(tensors=dict(tensors), ops=tuple(ops)).pruned()
