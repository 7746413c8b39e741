"""What handlers write into: the graph of one subgraph, under construction."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edgenn.errors import UnsupportedError
from edgenn.importing.file import File, listed, text
from edgenn.importing.node import Node
from edgenn.importing.sizes import Sizes
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator
from edgenn.ir.tensor import Array, Quantization, Tensor


class Context:
    """One subgraph, read op by op.

    Args:
        file: What it is read from.
        number: Of the subgraph.
        around: Numbers of the subgraphs whose loops run this one.

    Attributes:
        tensors: Those that have been named so far.
        ops: Those that have been read so far.
        sizes: What is known of tensors that hold sizes of others.
    """

    def __init__(self, file: File, number: int, around: tuple[int, ...] = ()) -> None:
        if number in around:
            raise file.damaged(f"subgraph {number} runs itself")
        self.file = file
        self.subgraph = file.subgraph(number)
        self.within = (*around, number)
        ops = listed(self.subgraph.operators)
        self._computed = {index for op in ops for index in listed(op.outputs)}
        self._computed.update(listed(self.subgraph.inputs))
        self.tensors: dict[str, Tensor] = {}
        self.ops: list[Op] = []
        self.sizes = Sizes()
        self._names: dict[int, str] = {}

    def name(self, index: int) -> str:
        """The name of a tensor of the file; it enters the graph when it is first asked for."""
        if index not in self._names:
            stored = self.subgraph.tensors[index]
            name = self.unused(text(stored.name) or f"tensor_{index}")
            self._names[index] = name
            tensor = self.file.tensor(stored, name)
            if index not in self._computed and 0 in tensor.shape and not tensor.is_constant:
                # no numbers need no buffer
                tensor = tensor.with_(data=np.zeros([n or 0 for n in tensor.shape], tensor.dtype))
            self.tensors[name] = tensor
        return self._names[index]

    def inputs(self) -> list[str]:
        """What a subgraph is given, in order."""
        return [self.name(index) for index in listed(self.subgraph.inputs)]

    def outputs(self) -> list[str]:
        return [self.name(index) for index in listed(self.subgraph.outputs)]

    def nodes(self) -> Iterator[Node]:
        """The ops in the order in which the file has them run."""
        for op in listed(self.subgraph.operators):
            yield Node(
                self.file.builtin(op),
                tuple(self.name(i) if i >= 0 else None for i in listed(op.inputs)),
                tuple(self.name(i) for i in listed(op.outputs)),
                op.builtinOptions or op.builtinOptions2,
                tuple(self.name(i) for i in listed(op.intermediates) if i >= 0),
            )

    def unused(self, name: str) -> str:
        """``name``, or ``name_1``, ``name_2`` … where it is taken."""
        candidate, number = name, 0
        while candidate in self.tensors:
            number += 1
            candidate = f"{name}_{number}"
        return candidate

    def tensor(self, name: str) -> Tensor:
        return self.tensors[name]

    def add(self, operator: Operator, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Adds an op whose outputs are tensors of the file."""
        op = Op(outputs[0], operator, tuple(inputs), tuple(outputs))
        self.ops.append(op)
        self.sizes.follow(op, self.tensors)

    def add_between(
        self,
        operator: Operator,
        inputs: Sequence[str],
        name: str,
        quantization: Quantization | None = None,
    ) -> str:
        """Adds an op whose output the file does not have; returns that."""
        (type_,) = operator.infer([self.tensors[n] for n in inputs])
        name = self.unused(name)
        self.tensors[name] = Tensor(name, type_.shape, type_.dtype, quantization)
        self.add(operator, inputs, [name])
        return name

    def constant(self, name: str, data: Array) -> str:
        """Adds a constant that the file does not have; returns its name."""
        name = self.unused(name)
        self.tensors[name] = Tensor.constant(name, data)
        return name

    def numbers(self, node: Node, index: int, what: str) -> Array:
        """The values of an input that is an attribute of the graph's operator, as float64.

        Sizes that are open until run time are NaN.

        Raises:
            UnsupportedError: They are computed from more than shapes.
        """
        name = node.input(index)
        known = None if name is None else self.known(name)
        if known is None:
            raise self.unsupported(node, f"its {what} are not known before it runs")
        return known

    def integers(self, node: Node, index: int, what: str) -> list[int]:
        """As ``numbers``, of which none may be open.

        Raises:
            UnsupportedError: They are not known before the file runs.
        """
        values = self.numbers(node, index, what).reshape(-1)
        if np.isnan(values).any():
            raise self.unsupported(node, f"its {what} are open until run time")
        return [int(value) for value in values]

    def producer(self, name: str) -> Op | None:
        """The op, of those read so far, that makes a tensor."""
        return next((op for op in reversed(self.ops) if name in op.outputs), None)

    def is_read(self, name: str) -> bool:
        """Whether any op of the subgraph reads a tensor of the file, or it is an output."""
        reads = [*listed(self.subgraph.outputs)]
        for op in listed(self.subgraph.operators):
            reads += listed(op.inputs)
        return any(self._names.get(index) == name for index in reads)

    def known(self, name: str) -> Array | None:
        return self.sizes.of(self.tensors[name])

    def unsupported(self, node: Node, why: str) -> UnsupportedError:
        return UnsupportedError(
            f"{self.file.where}: {node.builtin} cannot be read: {why} (it makes {node.name!r})"
        )

    def graph(
        self, inputs: Mapping[str, str], outputs: Mapping[str, str], metadata: Mapping[str, Any]
    ) -> Graph:
        """All that has been read, without what no output needs."""
        name = text(self.subgraph.name) or "main"
        graph = Graph(
            name, self.tensors, tuple(self.ops), dict(inputs), dict(outputs), dict(metadata)
        ).pruned()
        known = {*inputs.values(), *(n for n, t in self.tensors.items() if t.is_constant)}
        for op in graph.ops:
            self.require_made(op.inputs, known)
            known.update(op.outputs)
        self.require_made(graph.outputs.values(), known)
        return graph

    def require_made(self, names: Iterable[str], known: Collection[str]) -> None:
        """Raises ArtifactError for a tensor that no op before has made."""
        for name in names:
            if name not in known:
                raise self.file.damaged(f"{name!r} is read, but nothing makes it")
