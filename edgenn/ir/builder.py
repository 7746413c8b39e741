"""Builds graphs op by op, inferring the type of each result."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator
from edgenn.ir.tensor import Array, Quantization, Shape, Tensor


class GraphBuilder:
    """Collects tensors and ops; names are made unique with a numeric suffix.

    Attributes:
        metadata: That of the graph.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.metadata: dict[str, Any] = {}
        self.tensors: dict[str, Tensor] = {}
        self.ops: list[Op] = []
        self.inputs: dict[str, str] = {}
        self._suffixes: dict[str, int] = {}

    @classmethod
    def from_graph(cls, graph: Graph) -> Self:
        """A builder that holds the graph's tensors, inputs and metadata, and none of its ops."""
        builder = cls(graph.name)
        builder.metadata = dict(graph.metadata)
        builder.tensors = dict(graph.tensors)
        builder.inputs = dict(graph.inputs)
        return builder

    def unique(self, name: str) -> str:
        """``name``, or ``name_1``, ``name_2`` … where it is taken."""
        candidate = name
        while candidate in self.tensors:
            self._suffixes[name] = self._suffixes.get(name, 0) + 1
            candidate = f"{name}_{self._suffixes[name]}"
        return candidate

    def tensor(self, name: str) -> Tensor:
        return self.tensors[name]

    def input(self, name: str, shape: Shape, dtype: str = "float32") -> str:
        """Adds a graph input under its public name; returns the tensor's name."""
        tensor = Tensor(self.unique(name), tuple(shape), dtype)
        self.tensors[tensor.name] = tensor
        self.inputs[name] = tensor.name
        return tensor.name

    def constant(self, name: str, data: Array, quantization: Quantization | None = None) -> str:
        """Adds a constant; returns its name."""
        tensor = Tensor.constant(self.unique(name), data, quantization)
        self.tensors[tensor.name] = tensor
        return tensor.name

    def add(self, operator: Operator, inputs: Sequence[str], name: str) -> str:
        """Adds an op with one output called ``name``; returns the output's name."""
        (output,) = self.add_multiple(operator, inputs, [name])
        return output

    def add_multiple(
        self, operator: Operator, inputs: Sequence[str], names: Iterable[str]
    ) -> tuple[str, ...]:
        """Adds an op; returns the names of its outputs."""
        types = operator.infer([self.tensors[name] for name in inputs])
        outputs = []
        for name, type_ in zip(names, types, strict=True):
            tensor = Tensor(self.unique(name), type_.shape, type_.dtype)
            self.tensors[tensor.name] = tensor
            outputs.append(tensor.name)
        self.ops.append(Op(outputs[0], operator, tuple(inputs), tuple(outputs)))
        return tuple(outputs)

    def finish(self, outputs: Mapping[str, str]) -> Graph:
        """The graph with these outputs (public name → tensor name), pruned."""
        graph = Graph(
            self.name, self.tensors, tuple(self.ops), self.inputs, dict(outputs), self.metadata
        )
        return graph.pruned()
