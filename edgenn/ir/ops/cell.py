"""What the cells of recurrent operators are written with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.inlining import inline
from edgenn.ir.operator import Operator
from edgenn.ir.ops.activation import Logistic, Tanh
from edgenn.ir.ops.conversion import Dequantize
from edgenn.ir.ops.shape import Split
from edgenn.ir.tensor import Tensor


@dataclass(frozen=True)
class CellActivation:
    """An element-wise function inside a cell.

    Attributes:
        name: ``tanh``, ``sigmoid``, ``hard_sigmoid`` … as Keras calls it; ``custom`` for what
            has no name.
        function: One input ``(B, U)``, one output of that shape.
        parameters: What the name leaves open: ``(alpha, beta)`` of a hard sigmoid.
    """

    name: str
    function: Graph
    parameters: tuple[float, ...] = ()


@cache
def named_activation(name: str) -> CellActivation:
    """``tanh`` or ``sigmoid``: Keras's defaults."""
    builder = GraphBuilder(name)
    x = builder.input("x", (None, None))
    y = builder.add({"tanh": Tanh, "sigmoid": Logistic}[name](), [x], "y")
    return CellActivation(name, builder.finish({"y": y}))


class CellWriter:
    """Adds the ops of one step, each named within the layer."""

    def __init__(self, builder: GraphBuilder, scope: str) -> None:
        self.builder = builder
        self.scope = scope

    def weight(self, tensor: Tensor) -> str:
        """A constant of the cell, in float32 where it is stored in float16."""
        name = self.builder.unique(tensor.name)
        self.builder.tensors[name] = tensor.with_(name=name)
        if tensor.dtype != "float16":
            return name
        return self.builder.add(Dequantize(), [name], f"{name}/float32")

    def add(self, operator: Operator, inputs: Sequence[str], name: str) -> str:
        return self.builder.add(operator, inputs, f"{self.scope}/{name}")

    def split(self, x: str, units: int, names: Sequence[str]) -> tuple[str, ...]:
        """One tensor of ``units`` columns for each name."""
        operator = Split(-1, (units,) * len(names))
        return self.builder.add_multiple(operator, [x], [f"{self.scope}/{n}" for n in names])

    def activate(self, activation: CellActivation, x: str, name: str) -> str:
        scope = f"{self.scope}/{name}/"
        (y,) = inline(self.builder, activation.function, [x], scope)
        return y


def rows(tensor: Tensor, part: slice, name: str) -> Tensor:
    """Some rows of a constant, with their scales."""
    assert tensor.data is not None
    quantization = tensor.quantization
    if quantization is not None and quantization.axis == 0:
        quantization = replace(
            quantization,
            scale=quantization.scale[part],
            zero_point=quantization.zero_point[part],
        )
    data = tensor.data[part]
    return tensor.with_(name=name, data=data, shape=data.shape, quantization=quantization)
