"""What a healthy artifact would compute: the float graph with what it stores as coarsely stored.

Constants are rounded to the artifact's own grids. Inside of loops, where no tensor can be seen
from outside, every tensor is rounded to the grid that the artifact has it on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from edgenn.drift.explain.matching import Match
from edgenn.drift.explain.names import without_copies
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Dequantize, Quantize
from edgenn.ir.ops.scan import Scan
from edgenn.ir.tensor import INTEGER_RANGES, Array, Tensor


@dataclass(frozen=True)
class Rounded:
    """An op that reads rounded constants.

    Attributes:
        constants: The new ones.
    """

    op: Op
    constants: tuple[Tensor, ...]


class Rounder:
    """Rounds constants of the float graph as the artifact stores them."""

    def __init__(self, reference: Graph, artifact: Graph, found: Match) -> None:
        self.reference = reference
        self.artifact = artifact
        self.found = found
        self.stored = dict(stored_constants(artifact))
        self.grids = {without_copies(t.name): t for t in quantized_tensors(artifact)}

    def rounded(self, op: Op) -> Rounded:
        """The op as the artifact would compute it with rightly rounded constants."""
        inputs = list(op.inputs)
        constants = []
        for index, name in enumerate(op.inputs):
            tensor = self.reference.tensors[name]
            theirs = self.counterpart(op, index)
            if tensor.data is None or theirs is None:
                continue
            coarse = rounded_like(tensor, theirs, hybrid=self.is_hybrid(op))
            if coarse is not None:
                constants.append(coarse)
                inputs[index] = coarse.name
        operator = op.operator
        if isinstance(operator, Scan):
            operator = replace(operator, cell=self.rounded_cell(operator.cell))
        if constants or operator is not op.operator:
            op = replace(op, operator=operator, inputs=tuple(inputs))
        return Rounded(op, tuple(constants))

    def counterpart(self, op: Op, index: int) -> Tensor | None:
        """The artifact's constant in the place of one of an op's inputs."""
        tensor = self.reference.tensors[op.inputs[index]]
        if tensor.data is None:
            return None
        theirs = self.same_op(op)
        if theirs is not None and index < len(theirs.inputs):
            constant = constant_behind(self.artifact, theirs.inputs[index])
            if constant is not None and fitting(tensor, constant) is not None:
                return constant
        return self.by_name(tensor)

    def by_name(self, tensor: Tensor) -> Tensor | None:
        """The artifact's constant of the same name and shape."""
        if tensor.data is None:
            return None
        named = self.stored.get(without_copies(tensor.name))
        return named if named is not None and fitting(tensor, named) is not None else None

    def same_op(self, op: Op) -> Op | None:
        """The artifact's op that makes the same tensor in the same way."""
        actual = self.found.actual.get(op.outputs[0])
        while actual is not None:
            theirs = self.artifact.producers.get(actual)
            if theirs is None:
                return None
            if type(theirs.operator) is type(op.operator):
                return theirs
            is_border = isinstance(theirs.operator, Quantize | Dequantize)
            actual = theirs.inputs[0] if is_border else None
        return None

    def is_hybrid(self, op: Op) -> bool:
        """Whether the artifact multiplies real numbers with integer weights there."""
        actual = self.found.actual.get(op.outputs[0])
        if actual is None:
            return False
        theirs = self.same_op(op)
        tensor = self.artifact.tensors[theirs.inputs[0] if theirs else actual]
        return bool(op.operator.weight_axes) and tensor.quantization is None

    def is_hybrid_in_cell(self, op: Op) -> bool:
        """The same for an op of a loop's cell."""
        is_integer = any(without_copies(name) in self.grids for name in op.outputs)
        return bool(op.operator.weight_axes) and not is_integer

    def rounded_cell(self, cell: Graph) -> Graph:
        """A cell whose tensors are rounded wherever the artifact's are."""
        builder = GraphBuilder.from_graph(cell)
        names: dict[str, str] = {}
        for op in cell.ops:
            hybrid = self.is_hybrid_in_cell(op)
            inputs = []
            for name in op.inputs:
                tensor = cell.tensors[name]
                theirs = self.by_name(tensor)
                if theirs is not None:
                    coarse = rounded_like(tensor, theirs, hybrid=hybrid)
                    if coarse is not None:
                        builder.tensors[coarse.name] = coarse
                        name = coarse.name
                inputs.append(names.get(name, name))
            operator = op.operator
            if isinstance(operator, Scan):
                operator = replace(operator, cell=self.rounded_cell(operator.cell))
            builder.ops.append(replace(op, operator=operator, inputs=tuple(inputs)))
            for name in op.outputs:
                grid = self.grids.get(without_copies(name))
                if grid is not None and grid.dtype in INTEGER_RANGES:
                    names[name] = put_on_grid(builder, name, grid)
        outputs = {public: names.get(name, name) for public, name in cell.outputs.items()}
        return builder.finish(outputs).with_(metadata=cell.metadata)


def put_on_grid(builder: GraphBuilder, name: str, grid: Tensor) -> str:
    """Adds a rounding; returns the name of the rounded tensor, which is real again."""
    stored = builder.add(Quantize(grid.dtype), [name], f"{name}/stored")
    builder.tensors[stored] = builder.tensors[stored].with_(quantization=grid.quantization)
    return builder.add(Dequantize(), [stored], f"{name}/rounded")


def rounded_like(tensor: Tensor, theirs: Tensor, *, hybrid: bool) -> Tensor | None:
    """A constant of the float graph as coarse as the artifact's; ``None`` where that is float32.

    Args:
        hybrid: Leave integers, for kernels that round their other operand as well.
    """
    data = fitting(tensor, theirs)
    assert data is not None and tensor.data is not None
    name = f"rounded:{tensor.name}"
    if theirs.dtype == "float16":
        half = np.clip(tensor.data, -65504, 65504).astype(np.float16)
        return Tensor.constant(name, half.astype(np.float32))
    grid = theirs.quantization
    if grid is None or theirs.dtype not in INTEGER_RANGES:
        return None
    integers = grid.quantize(tensor.data, theirs.dtype)
    if hybrid and theirs.dtype == "int8":
        return Tensor.constant(name, integers, grid)
    return Tensor.constant(name, grid.dequantize(integers))


def fitting(tensor: Tensor, theirs: Tensor) -> Array | None:
    """The artifact's integers in the float constant's shape; ``None`` where they do not fit.

    Weights may have more columns, which only pin the grid of the other operand.
    """
    data = theirs.data
    if data is None or tensor.data is None or data.ndim != tensor.data.ndim:
        return None
    if data.ndim and data.shape[-1] > tensor.data.shape[-1] and "with_ends" in theirs.name:
        data = data[..., : tensor.data.shape[-1]]
    return data if data.shape == tensor.data.shape else None


def constant_behind(graph: Graph, name: str) -> Tensor | None:
    """The constant that a tensor is or is dequantised from."""
    tensor = graph.tensors[name]
    producer = graph.producers.get(name)
    if tensor.data is None and producer is not None and isinstance(producer.operator, Dequantize):
        tensor = graph.tensors[producer.inputs[0]]
    return tensor if tensor.data is not None else None


def stored_constants(graph: Graph) -> Iterator[tuple[str, Tensor]]:
    """Every constant by its plain name, those inside of loops included."""
    for tensor in graph.tensors.values():
        if tensor.data is not None:
            yield without_copies(tensor.name), tensor
    for op in graph.ops:
        if isinstance(op.operator, Scan):
            yield from stored_constants(op.operator.cell)


def quantized_tensors(graph: Graph) -> Iterator[Tensor]:
    """Every computed tensor in integers, those inside of loops included."""
    for tensor in graph.tensors.values():
        if tensor.data is None and tensor.quantization is not None:
            yield tensor
    for op in graph.ops:
        if isinstance(op.operator, Scan):
            yield from quantized_tensors(op.operator.cell)
