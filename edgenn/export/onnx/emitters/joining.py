"""Operators that join tensors or take them apart along an axis."""

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.layouts import channels_last
from edgenn.export.onnx.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.ops.reduction import normalized


@emitter(ops.Concatenation)
def concatenation(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Concatenation)
    order = context.common_order(op.inputs)
    axis = order.index(normalized(operator.axis, len(order)))
    values = [context.value(name, order) for name in op.inputs]
    context.bind(op.output, context.node("Concat", values, axis=axis), order)


@emitter(ops.Pack)
def pack(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Pack)
    axes = context.attribute("axes", [operator.axis])
    rows = [
        context.on_grid(context.node("Unsqueeze", [context.value(name), axes]), name)
        for name in op.inputs
    ]
    context.bind(op.output, context.node("Concat", rows, axis=operator.axis))


@emitter(ops.Split)
def split(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Split)
    order = context.common_order(op.inputs)
    axis = order.index(normalized(operator.axis, len(order)))
    inputs = [context.value(op.inputs[0], order), context.attribute("sizes", operator.sizes)]
    parts = context.node_with_outputs("Split", inputs, len(op.outputs), axis=axis)
    for name, part in zip(op.outputs, parts, strict=True):
        context.bind(name, part, order)


@emitter(ops.Gather)
def gather(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Gather)
    x, indices = (context.tensor(name) for name in op.inputs)
    axis = normalized(operator.axis, x.rank)
    # one index for one index: the axes stay what they are
    order = context.common_order(op.inputs[:1]) if indices.rank == 1 else channels_last(x.rank)
    values = [context.value(x.name, order), context.value(indices.name)]
    y = context.node("Gather", values, axis=order.index(axis))
    context.bind(op.output, y, order if indices.rank == 1 else None)
