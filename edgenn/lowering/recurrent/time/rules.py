"""What each op does to the axes of its inputs, by its operator's rule."""

from edgenn.ir.graph import Op
from edgenn.lowering.recurrent.time import computing, moving  # noqa: F401  (they register)
from edgenn.lowering.recurrent.time.extents import Layout
from edgenn.lowering.recurrent.time.layouts import Layouts
from edgenn.lowering.recurrent.time.registry import ALL, RULES


def outputs_of(layouts: Layouts, op: Op) -> list[Layout]:
    """The layouts of an op's outputs by its operator's rule."""
    for base in type(op.operator).__mro__:
        if base in RULES:
            return RULES[base](layouts, op, op.operator)
    return unknown(layouts, op)


def unknown(layouts: Layouts, op: Op) -> list[Layout]:
    """Whatever an operator without a rule does, it may do along every axis."""
    for name in op.inputs:
        for axis in layouts.layout(name):
            layouts.mix(op, axis, ALL)
    shapes = [layouts.graph.tensors[name].shape for name in op.outputs]
    return [tuple(layouts.made(op, size, ALL) for size in shape) for shape in shapes]
