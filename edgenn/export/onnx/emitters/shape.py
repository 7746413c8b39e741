"""Operators that change the shape: no numbers move where the order of axes allows it."""

import math

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.layouts import (
    Order,
    channels_first,
    channels_last,
    moves_only_units,
    reordered,
    without,
)
from edgenn.export.onnx.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.ops.reduction import normalized
from edgenn.ir.tensor import Shape

IMAGE_RANK = 4


@emitter(ops.Reshape)
def reshape(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Reshape)
    x, y = context.tensor(op.inputs[0]), context.tensor(op.output)
    last, first = channels_last(y.rank), channels_first(y.rank)
    order = last
    if (value := context.flat(x.name)) is not None:
        # what comes out of a dense layer as 1×1 image goes into convolutions, most likely
        if y.rank == IMAGE_RANK and moves_only_units(y.shape, first):
            order = first
    elif keeps_batch_and_channels(x.shape, y.shape):
        value, order = context.channels_first(x.name), first
    else:
        value = context.value(x.name)
    sizes = reordered(operator.shape, order)
    shape = context.attribute("shape", sizes)
    # 0 is a size here, not "as before"
    context.bind(
        op.output, context.node("Reshape", [value, shape], allowzero=int(0 in sizes)), order
    )


def keeps_batch_and_channels(before: Shape, after: Shape) -> bool:
    """Whether only the axes between the first and the last are regrouped."""
    if len(before) < 3 or len(after) < 3 or None in before[1:] or None in after[1:]:
        return False
    # two open batches are the same where as many numbers lie between batch and channels
    regrouped = math.prod(before[1:-1]) == math.prod(after[1:-1])  # type: ignore[arg-type]
    return before[0] == after[0] and before[-1] == after[-1] and regrouped


@emitter(ops.ExpandDims)
def expand_dims(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.ExpandDims)
    rank = context.tensor(op.output).rank
    axis = normalized(operator.axis, rank)
    first = channels_first(rank)
    # a new axis between batch and channels leaves both where they are
    inside = 0 < axis < rank - 1 and context.common_order(op.inputs) == without(first, [axis])
    order = first if inside else channels_last(rank)
    x = context.value(op.inputs[0], without(order, [axis]))
    axes = context.attribute("axes", [order.index(axis)])
    context.bind(op.output, context.node("Unsqueeze", [x, axes]), order)


@emitter(ops.Squeeze)
def squeeze(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Squeeze)
    order = context.common_order(op.inputs)
    x = context.value(op.inputs[0], order)
    axes = context.attribute("axes", sorted(order.index(axis) for axis in operator.axes))
    context.bind(op.output, context.node("Squeeze", [x, axes]), without(order, operator.axes))


@emitter(ops.Transpose)
def transpose(op: Op, context: Context) -> None:
    """Nothing where the input exists in the order that the output may have."""
    operator = op.operator
    assert isinstance(operator, ops.Transpose)
    (name,) = op.inputs
    y = context.tensor(op.output)
    known: tuple[Order, ...] = (channels_last(y.rank), channels_first(y.rank))
    if not context.is_constant(name):
        for form, value in context.forms(name).items():
            order = tuple(operator.permutation.index(axis) for axis in form)
            if order in known:
                context.bind(op.output, value, order)
                return
    value = context.permuted(
        context.value(name),
        context.tensor(name).shape,
        channels_last(y.rank),
        operator.permutation,
    )
    context.bind(op.output, value)


@emitter(ops.BroadcastTo)
def broadcast_to(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.BroadcastTo)
    shape = context.attribute("shape", operator.shape)
    context.bind(op.output, context.node("Expand", [context.value(op.inputs[0]), shape]))


@emitter(ops.Tile)
def tile(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Tile)
    order = context.common_order(op.inputs)
    repeats = context.attribute("repeats", reordered(operator.multiples, order))
    context.bind(
        op.output, context.node("Tile", [context.value(op.inputs[0], order), repeats]), order
    )
