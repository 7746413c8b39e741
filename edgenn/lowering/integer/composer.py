"""A graph that is written anew, op by op, under the rules of each op's activation dtype."""

from collections.abc import Callable
from typing import Any

import numpy as np

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator
from edgenn.ir.tensor import Array, Shape, Tensor
from edgenn.lowering.integer.registry import RULES


class Composer:
    """Rules write into it; what they write is under the rules, too.

    Attributes:
        dtype: Of the activations of the op that is rewritten, ``int8`` or ``int16``.
    """

    def __init__(self, graph: Graph, dtype_of: Callable[[Op], str]) -> None:
        self.dtype = ""
        self._dtype_of = dtype_of
        self._graph = graph
        self._builder = GraphBuilder.from_graph(graph)
        self._producers: dict[str, Op] = {}
        self._constants: dict[tuple[str, str, bytes], str] = {}
        self._scope = ""

    def run(self) -> Graph:
        """The graph under the rules; the same object where none applies."""
        for op in self._graph.ops:
            self._scope = op.outputs[0]
            self.dtype = self._dtype_of(op)
            self._write(op)
        if tuple(self._builder.ops) == self._graph.ops:
            return self._graph
        return self._builder.finish(self._graph.outputs).with_(metadata=self._graph.metadata)

    # reading

    def tensor(self, name: str) -> Tensor:
        return self._builder.tensors[name]

    def shape(self, name: str) -> Shape:
        return self.tensor(name).shape

    def value(self, name: str) -> Array | None:
        """The data of a constant."""
        return self.tensor(name).data

    def number(self, name: str) -> float | None:
        """The value of a constant that is one number."""
        data = self.value(name)
        return float(data.reshape(())) if data is not None and data.size == 1 else None

    def producer(self, name: str) -> Op | None:
        """The op that makes a tensor, as it is now; ``None`` for inputs and constants."""
        return self._producers.get(name)

    # writing

    def apply(self, operator: Operator, *operands: str | float | Array, suffix: str = "") -> str:
        """Adds an op within the layer of the op that is rewritten; returns its output's name."""
        names = [self.operand(value) for value in operands]
        name = self._builder.unique(f"{self._scope}/{suffix or operator.kind}")
        (type_,) = operator.infer([self.tensor(operand) for operand in names])
        self._builder.tensors[name] = Tensor(name, type_.shape, type_.dtype)
        self._write(Op(name, operator, tuple(names), (name,)))
        return name

    def operand(self, value: Any) -> str:
        """A tensor's name for a tensor, an array or a number."""
        if isinstance(value, str):
            return value
        data = np.asarray(value, np.float32)
        key = (self._scope, str(data.shape), data.tobytes())
        if key not in self._constants:
            self._constants[key] = self._builder.constant(f"{self._scope}/constant", data)
        return self._constants[key]

    def _write(self, op: Op) -> None:
        rule = RULES.get((type(op.operator), self.dtype)) if self._is_real(op) else None
        last = rule(op, self) if rule is not None else None
        if last is not None:
            operator, inputs = last
            return self._write(Op(op.name, operator, tuple(inputs), op.outputs))
        self._builder.ops.append(op)
        self._producers.update(dict.fromkeys(op.outputs, op))
        return None

    def _is_real(self, op: Op) -> bool:
        """Whether the op touches real numbers, which alone are quantised."""
        return any(self.tensor(name).dtype == "float32" for name in (*op.inputs, *op.outputs))
