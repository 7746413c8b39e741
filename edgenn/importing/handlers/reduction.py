"""Reductions, whose axes are a constant input in TFLite."""

from typing import Final

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.registry import handler
from edgenn.ir import ops
from edgenn.ir.ops.reduction import ArgReduction, Reduction, normalized

OVER_AXES: Final[dict[str, type[Reduction]]] = {
    "MEAN": ops.Mean,
    "SUM": ops.Sum,
    "REDUCE_MAX": ops.ReduceMax,
    "REDUCE_MIN": ops.ReduceMin,
    "REDUCE_PROD": ops.ReduceProd,
    "REDUCE_ANY": ops.ReduceAny,
    "REDUCE_ALL": ops.ReduceAll,
}
ALONG_AXIS: Final[dict[str, type[ArgReduction]]] = {"ARG_MAX": ops.ArgMax, "ARG_MIN": ops.ArgMin}


@handler(*OVER_AXES)
def over_axes(node: Node, context: Context) -> None:
    x = node.given[0]
    rank = context.tensor(x).rank
    axes = {normalized(axis, rank) for axis in context.integers(node, 1, "axes")}
    keep = bool(node.option("keepDims", False))
    context.add(OVER_AXES[node.builtin](tuple(sorted(axes)), keep), [x], node.outputs)


@handler(*ALONG_AXIS)
def along_axis(node: Node, context: Context) -> None:
    (axis,) = context.integers(node, 1, "axis")
    operator = ALONG_AXIS[node.builtin](axis, context.tensor(node.name).dtype)
    context.add(operator, node.given[:1], node.outputs)


@handler("CUMSUM")
def cumsum(node: Node, context: Context) -> None:
    if node.option("exclusive", False) or node.option("reverse", False):
        raise context.unsupported(node, "it leaves out the value itself, or runs backwards")
    (axis,) = context.integers(node, 1, "axis")
    context.add(ops.CumSum(axis), node.given[:1], node.outputs)
