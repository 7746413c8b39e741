"""The body of a Scan: a graph inside of a node."""

from typing import Any

import onnx

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.layouts import Order
from edgenn.export.onnx.registry import write_ops
from edgenn.export.onnx.value_info import named, value_info
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Shape


class BodyContext(Context):
    """Writes a cell. Its constants, and what widens them, stand in the graph around it.

    There they are computed once, not at every step.
    """

    def __init__(self, cell: Graph, outer: Context) -> None:
        super().__init__(cell)
        self.join(outer)
        self.outer = outer

    def _new_constant(self, name: str, order: Order, shape: Shape) -> str:
        inner, self.nodes = self.nodes, self.outer.nodes
        try:
            return super()._new_constant(name, order, shape)
        finally:
            self.nodes = inner


def body(cell: Graph, sequences: int, outer: Context) -> Any:
    """The GraphProto of one step: states and steps in, states and steps out.

    Args:
        sequences: How many of the cell's inputs come before its states.
    """
    context = BodyContext(cell, outer)
    names = list(cell.inputs.values())
    inputs = []
    for name in (*names[sequences:], *names[:sequences]):
        context.begin(name)
        value = context.fresh(f"{name}/given")
        inputs.append(value_info(value, cell.tensors[name]))
        context.bind(name, value)
    write_ops(context)
    outputs = []
    for name in cell.outputs.values():
        context.begin(name)
        value = context.node("Identity", [context.value(name)])
        outputs.append(value_info(value, cell.tensors[name]))
    return onnx.GraphProto(
        name=cell.name or "cell", node=named(context.nodes), input=inputs, output=outputs
    )
