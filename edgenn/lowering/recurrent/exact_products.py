"""Keeps what goes into float products with int8 weights from being rounded more than it need be.

Where x is float and the weights are int8, FULLY_CONNECTED puts each row of x on a grid of its
own, from the row's smallest value to its largest in 255 steps, and multiplies integers.

- Rows that come from int8 are on a grid already, and would be rounded a second time. Two more
  columns, of the least and the greatest value that int8 stands for, make the kernel's grid the
  same as theirs, so that nothing is rounded; their weights are 0.
- Real rows are cut in two: what lies on an int8 grid, and the rest, which is so small that its
  own rounding does not matter. Both products are in int8, and x has 16 bits in effect. Done where
  quantisation found that rounding x would add more noise than the weights have.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.grids import GRIDS, grids_of
from edgenn.ir.ops import Add, Dequantize, FullyConnected, Pad, Quantize, Sub
from edgenn.ir.tensor import INTEGER_RANGES, Quantization, Tensor

ENDS: Final = 2
"""Columns that are added."""
DONE: Final = "exact products"
"""Key of ``Graph.metadata``: the graph has been rewritten."""


def with_exact_products(graph: Graph) -> Graph:
    """The graph with its products in float, outside of loops, as exact as int8 weights allow.

    The same object if there is nothing to do.
    """
    if graph.metadata.get(DONE):
        return graph
    writer = _Writer(graph)
    for op in graph.ops:
        writer.add(op)
    if tuple(writer.builder.ops) == graph.ops:
        return graph
    metadata = {key: value for key, value in graph.metadata.items() if key != GRIDS}
    result = writer.builder.finish(graph.outputs)
    return result.with_(metadata={**metadata, DONE: True})


class _Writer:
    """The graph under construction; what several products read is made once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.builder = GraphBuilder.from_graph(graph)
        self.grids = grids_of(graph)
        self._wide: dict[str, str] = {}
        self._parts: dict[str, tuple[str, str]] = {}

    def add(self, op: Op) -> None:
        weights = self.graph.tensors[op.inputs[1]] if len(op.inputs) > 1 else None
        is_product = isinstance(op.operator, FullyConnected)
        if not is_product or weights is None or weights.data is None or weights.dtype != "int8":
            self.builder.ops.append(op)
            return
        x = op.inputs[0]
        source = self.int8_source(x)
        if source is not None:
            inputs = (self.with_ends(source, x), self.wide_kernel(weights), *op.inputs[2:])
            self.builder.ops.append(replace(op, inputs=inputs))
        elif x in self.grids and self.graph.tensors[x].dtype == "float32":
            self.in_two_parts(op, weights)
        else:
            self.builder.ops.append(op)

    def int8_source(self, x: str) -> Tensor | None:
        """The computed int8 tensor that x is dequantised from."""
        producer = self.graph.producers.get(x)
        if producer is None or not isinstance(producer.operator, Dequantize):
            return None
        source = self.graph.tensors[producer.inputs[0]]
        return source if source.dtype == "int8" and not source.is_constant else None

    def in_two_parts(self, op: Op, weights: Tensor) -> None:
        """The product of what lies on the grid, bias included, plus that of the rest."""
        assert isinstance(op.operator, FullyConnected)
        x, _, *bias = op.inputs
        large, rest = self.parts(x, self.grids[x])
        kernel, product = self.wide_kernel(weights), FullyConnected()
        first = self.builder.add(product, [large, kernel, *bias], f"{op.outputs[0]}/large")
        second = self.builder.add(product, [rest, kernel], f"{op.outputs[0]}/rest")
        total = Add(op.operator.activation)
        self.builder.ops.append(Op(op.name, total, (first, second), op.outputs))

    def parts(self, x: str, grid: Quantization) -> tuple[str, str]:
        """What of x lies on the grid, with its ends, and the rest, as wide."""
        if x not in self._parts:
            integers = self.quantized(Quantize("int8"), x, f"{x}/on_grid", grid)
            tensor = self.builder.tensors[integers]
            large = self.builder.add(Dequantize(), [integers], f"{x}/large")
            rest = self.builder.add(Sub(), [x, large], f"{x}/rest")
            padding = Pad((*[(0, 0)] * (tensor.rank - 1), (0, ENDS)))
            wide = self.builder.add(padding, [rest], f"{x}/rest_with_ends")
            self._parts[x] = self.with_ends(tensor, x), wide
        return self._parts[x]

    def with_ends(self, source: Tensor, x: str) -> str:
        """The int8 tensor and the ends of its grid, dequantised."""
        if source.name not in self._wide:
            assert source.quantization is not None
            ends = source.quantization.dequantize(np.array(INTEGER_RANGES["int8"], np.int8))
            name = source.name
            for end in ends:
                padding = Pad((*[(0, 0)] * (source.rank - 1), (0, 1)), float(end))
                name = self.quantized(padding, name, f"{x}/end", source.quantization)
            self._wide[source.name] = self.builder.add(Dequantize(), [name], f"{x}/with_ends")
        return self._wide[source.name]

    def wide_kernel(self, weights: Tensor) -> str:
        """The weights with zeros for the ends."""
        if weights.name not in self._wide:
            assert weights.data is not None
            data = np.pad(weights.data, ((0, 0), (0, ENDS)))
            name = f"{weights.name}/with_ends"
            self._wide[weights.name] = self.builder.constant(name, data, weights.quantization)
        return self._wide[weights.name]

    def quantized(self, operator: Quantize | Pad, x: str, name: str, grid: Quantization) -> str:
        """Adds an op whose result is on the grid."""
        result = self.builder.add(operator, [x], name)
        self.builder.tensors[result] = self.builder.tensors[result].with_(quantization=grid)
        return result
