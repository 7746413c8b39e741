"""What the rules write with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.ir.tensor import Array, Tensor


@dataclass(frozen=True)
class Writer:
    """The graph under construction.

    Attributes:
        read: Tensors that an op reads, or that are outputs.
        producers: Of the graph before: tensor → op.
    """

    builder: GraphBuilder
    read: frozenset[str]
    producers: Mapping[str, Op]

    def tensor(self, name: str) -> Tensor:
        return self.builder.tensor(name)

    def add(self, operator: Operator, inputs: list[str], name: str, like: Tensor) -> str:
        """Adds an op whose result is quantised as ``like``; returns its name."""
        result = self.builder.add(operator, inputs, name)
        tensor = self.builder.tensor(result).with_(quantization=like.quantization)
        self.builder.tensors[result] = tensor
        return result

    def constant(self, name: str, data: Array) -> str:
        """Adds a float32 constant once; returns its name."""
        if name not in self.builder.tensors:
            self.builder.constant(name, data.astype(np.float32))
        return name

    def last(self, op: Op, operator: Operator, *inputs: str) -> bool:
        """Adds what makes the op's own output."""
        self.builder.ops.append(replace(op, operator=operator, inputs=inputs))
        return True

    def reshaped(self, name: str, shape: tuple[int | None, ...], result: str) -> str:
        return self.add(reshape_to(shape), [name], result, self.tensor(name))


Rule = Callable[[Op, Writer], bool]
"""Writes the op in another way, if it applies."""


def reshape_to(shape: tuple[int | None, ...]) -> ops.Reshape:
    return ops.Reshape(tuple(-1 if size is None else size for size in shape))
