"""``keras.ops``: reductions over axes."""

from collections.abc import Sequence
from typing import Any

from edgenn.frontend.context import Context, element_count
from edgenn.frontend.handlers.ops_arithmetic import result_dtype
from edgenn.frontend.handlers.ops_logic import truth
from edgenn.frontend.keras_operations import operation_table, operations
from edgenn.frontend.registry import handler, register_table
from edgenn.ir.ops import (
    Abs,
    Add,
    ArgMax,
    ArgMin,
    Cast,
    CumSum,
    Exp,
    Log,
    Mean,
    Mul,
    ReduceAll,
    ReduceAny,
    ReduceMax,
    ReduceMin,
    ReduceProd,
    Sqrt,
    Sub,
    Sum,
)


def axes_of(context: Context, x: str, axis: int | Sequence[int] | None) -> tuple[int, ...]:
    """The axes counted from the front, in order; ``None`` means all."""
    if axis is None:
        return tuple(range(context.rank(x)))
    axes = [axis] if isinstance(axis, int) else axis
    return tuple(sorted(context.axis(x, a) for a in axes))


def reduction(operator: Any, context: Context, op: Any, x: str) -> str:
    """Over any axes; also `keepdims`."""
    x = context.cast(x, result_dtype(context))
    return context.add(operator(axes_of(context, x, op.axis), bool(op.keepdims)), [x])


register_table(
    reduction,
    operation_table(
        {
            "Amax": ReduceMax,
            "Amin": ReduceMin,
            "Max": ReduceMax,
            "Mean": Mean,
            "Min": ReduceMin,
            "Prod": ReduceProd,
            "Sum": Sum,
        }
    ),
)


def truth_reduction(operator: Any, context: Context, op: Any, x: str) -> str:
    return context.add(
        operator(axes_of(context, x, op.axis), bool(op.keepdims)), [truth(context, x)]
    )


register_table(truth_reduction, operation_table({"All": ReduceAll, "Any": ReduceAny}))


@handler(*operations("CountNonzero"))
def count_nonzero(context: Context, op: Any, x: str) -> str:
    ones = context.add(Cast("int32"), [truth(context, x)])
    return context.add(Sum(axes_of(context, x, op.axis)), [ones])


def variance(context: Context, x: str, axes: tuple[int, ...], keepdims: bool) -> tuple[str, str]:
    """Mean and variance over ``axes``."""
    mean = context.add(Mean(axes, True), [x])
    centered = context.apply(Sub(), x, mean)
    power = context.add(Mean(axes, keepdims), [context.apply(Mul(), centered, centered)])
    return (mean if keepdims else context.squeeze(mean, *axes)), power


@handler(*operations("Var"))
def var(context: Context, op: Any, x: str) -> str:
    x = context.cast(x, result_dtype(context))
    return variance(context, x, axes_of(context, x, op.axis), bool(op.keepdims))[1]


@handler(*operations("Std"))
def std(context: Context, op: Any, x: str) -> str:
    return context.apply(Sqrt(), var(context, op, x))


@handler(*operations("Moments"))
def moments(context: Context, op: Any, x: str) -> tuple[str, str]:
    """Mean and variance."""
    return variance(context, x, axes_of(context, x, op.axes), bool(op.keepdims))


@handler(*operations("Average"))
def average(context: Context, op: Any, x: str, weights: Any = None) -> str:
    """Without weights."""
    if weights is not None:
        raise context.unsupported("average with weights is not supported", "multiply and sum")
    return context.add(Mean(axes_of(context, x, op.axis)), [x])


def arg_reduction(operator: Any, context: Context, op: Any, x: str) -> str:
    """Along one axis, or over all values; also `keepdims`."""
    rank = context.rank(x)
    if op.axis is None:
        y = context.add(operator(0), [context.reshape(x, (element_count(context.shape(x)),))])
        return context.reshape(y, (1,) * rank) if op.keepdims else y
    axis = context.axis(x, op.axis)
    y = context.add(operator(axis), [x])
    return context.expand_dims(y, axis) if op.keepdims else y


register_table(arg_reduction, operation_table({"Argmax": ArgMax, "Argmin": ArgMin}))


@handler(*operations("Logsumexp"))
def logsumexp(context: Context, op: Any, x: str) -> str:
    """The maximum is taken out first, so that nothing overflows."""
    axes = axes_of(context, x, op.axis)
    top = context.add(ReduceMax(axes, True), [x])
    exponentials = context.apply(Exp(), context.apply(Sub(), x, top))
    total = context.apply(Log(), context.add(Sum(axes, True), [exponentials]))
    y = context.apply(Add(), total, top)
    return y if op.keepdims else context.squeeze(y, *axes)


@handler(*operations("Norm"))
def norm(context: Context, op: Any, x: str) -> str:
    """Orders 1 and 2 over one axis, and the Frobenius norm."""
    axes = axes_of(context, x, op.axis)
    order = "fro" if op.ord is None else op.ord
    x = context.cast(x, result_dtype(context))
    if order == 1 and len(axes) == 1:
        return context.add(Sum(axes, bool(op.keepdims)), [context.apply(Abs(), x)])
    if order == "fro" or (order == 2 and len(axes) == 1):
        power = context.add(Sum(axes, bool(op.keepdims)), [context.apply(Mul(), x, x)])
        return context.apply(Sqrt(), power)
    raise context.unsupported(f"norm of order {op.ord} over {len(axes)} axes", "use order 1 or 2")


@handler(*operations("Cumsum"))
def cumsum(context: Context, op: Any, x: str) -> str:
    """Along one axis."""
    if op.axis is None:
        raise context.unsupported("cumsum needs an axis", "flatten the tensor first")
    x = context.cast(x, result_dtype(context))
    return context.add(CumSum(context.axis(x, op.axis)), [x])
