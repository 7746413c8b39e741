"""The table of rules: what each operator does to the axes of its inputs."""

from collections.abc import Callable
from typing import Any, Final

from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.lowering.recurrent.time.extents import Layout
from edgenn.lowering.recurrent.time.layouts import Layouts

Rule = Callable[[Layouts, Op, Any], list[Layout]]
"""Layouts of the inputs, op, operator → layouts of the outputs."""

RULES: Final[dict[type[Operator], Rule]] = {}
"""The nearest base class of an operator that is listed has its rule."""

WINDOW = "has a window over several steps"
SUM = "adds up values of several steps"
ALL = "needs all steps at once"
PART = "takes some of the steps"
JOIN = "puts other values beside the steps"


def rule(*types: type[Operator]) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(types, function))
        return function

    return register


def output_size(layouts: Layouts, op: Op, axis: int) -> int | None:
    return layouts.size(op.outputs[0], axis)
