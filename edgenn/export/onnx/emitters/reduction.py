"""Reductions, in whatever order their input exists."""

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import ELEMENT_TYPES, value_dtype
from edgenn.export.onnx.layouts import Order, channels_first, without
from edgenn.export.onnx.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops.reduction import ArgReduction, Reduction, normalized

OVER_AXES: dict[type[Operator], str] = {
    ops.Mean: "ReduceMean",
    ops.Sum: "ReduceSum",
    ops.ReduceMax: "ReduceMax",
    ops.ReduceMin: "ReduceMin",
    ops.ReduceProd: "ReduceProd",
    ops.ReduceAny: "ReduceMax",
    ops.ReduceAll: "ReduceMin",
}
"""Any and all are the largest and the smallest of booleans."""

ALONG_AXIS: dict[type[Operator], str] = {ops.ArgMax: "ArgMax", ops.ArgMin: "ArgMin"}


@emitter(*OVER_AXES)
def over_axes(op: Op, context: Context) -> None:
    reduction = op.operator
    assert isinstance(reduction, Reduction)
    order = context.common_order(op.inputs)
    x = context.value(op.inputs[0], order)
    if is_global_pooling(op, reduction, order, context):
        y = global_pooling(x, op, reduction, context)
    else:
        axes = sorted(order.index(axis) for axis in reduction.axes)
        inputs = [x, context.attribute("axes", axes)]
        # without axes ONNX reduces over all of them, unless told not to
        y = context.node(
            OVER_AXES[type(reduction)],
            inputs,
            keepdims=int(reduction.keep_dims),
            noop_with_empty_axes=int(not axes),
        )
    context.bind(op.output, y, order if reduction.keep_dims else without(order, reduction.axes))


def is_global_pooling(op: Op, reduction: Reduction, order: Order, context: Context) -> bool:
    """Whether it is the mean over all that lies between batch and channels, channels-first."""
    rank = len(order)
    return (
        isinstance(reduction, ops.Mean)
        and rank >= 3
        and order == channels_first(rank)
        and set(reduction.axes) == set(range(1, rank - 1))
        and value_dtype(context.tensor(op.output)) == "float32"
    )


def global_pooling(x: str, op: Op, reduction: Reduction, context: Context) -> str:
    """Engines have an integer GlobalAveragePool, but no such ReduceMean."""
    y = context.node("GlobalAveragePool", [x])
    if reduction.keep_dims:
        return y
    axes = context.attribute("axes", range(2, len(reduction.axes) + 2))
    return context.node("Squeeze", [context.on_grid(y, op.output), axes])


@emitter(*ALONG_AXIS)
def along_axis(op: Op, context: Context) -> None:
    reduction = op.operator
    assert isinstance(reduction, ArgReduction)
    order = context.common_order(op.inputs)
    axis = normalized(reduction.axis, len(order))
    x = context.value(op.inputs[0], order)
    y = context.node(ALONG_AXIS[type(reduction)], [x], axis=order.index(axis), keepdims=0)
    if reduction.dtype != "int64":
        y = context.node("Cast", [y], to=ELEMENT_TYPES[reduction.dtype])
    context.bind(op.output, y, without(order, [axis]))


@emitter(ops.CumSum)
def cumsum(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.CumSum)
    order = context.common_order(op.inputs)
    axis = context.attribute("axis", order.index(normalized(operator.axis, len(order))))
    context.bind(
        op.output, context.node("CumSum", [context.value(op.inputs[0], order), axis]), order
    )
