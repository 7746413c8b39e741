"""Slices and paddings."""

from collections.abc import Sequence

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import value_dtype
from edgenn.export.onnx.layouts import reordered, without
from edgenn.export.onnx.padding import onnx_pads
from edgenn.export.onnx.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.ops.reduction import normalized

Cut = tuple[int, slice]
"""An axis of a value, and what stays of it."""
FARTHEST = 2**63 - 1
"""Beyond any size, in either direction."""


def sliced(x: str, cuts: Sequence[Cut], context: Context) -> str:
    """``x[slice]`` along some axes, as Python has it; open ends are numbers in ONNX."""
    starts, ends, steps = [], [], []
    for _, cut in cuts:
        step = cut.step or 1
        sign = 1 if step > 0 else -1
        starts.append(cut.start if cut.start is not None else 0 if sign > 0 else FARTHEST)
        ends.append(cut.stop if cut.stop is not None else sign * FARTHEST)
        steps.append(step)
    axes = [axis for axis, _ in cuts]
    inputs = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
    return context.node("Slice", [x, *(context.attribute(k, v) for k, v in inputs.items())])


@emitter(ops.StridedSlice)
def strided_slice(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.StridedSlice)
    order = context.common_order(op.inputs)
    x = context.value(op.inputs[0], order)
    whole = (slice(None, None, 1), slice(0, None, 1))
    cuts = [(i, c) for i, c in enumerate(reordered(operator.slices, order)) if c not in whole]
    if cuts or not operator.squeezed:
        x = sliced(x, cuts, context)
    if operator.squeezed:
        if cuts:
            x = context.on_grid(x, op.output)
        axes = sorted(order.index(axis) for axis in operator.squeezed)
        x = context.node("Squeeze", [x, context.attribute("axes", axes)])
    context.bind(op.output, x, without(order, operator.squeezed))


@emitter(ops.Reverse)
def reverse(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Reverse)
    order = context.common_order(op.inputs)
    axes = [order.index(normalized(axis, len(order))) for axis in operator.axes]
    cuts = [(axis, slice(None, None, -1)) for axis in sorted(axes)]
    context.bind(op.output, sliced(context.value(op.inputs[0], order), cuts, context), order)


@emitter(ops.Pad)
def pad(op: Op, context: Context) -> None:
    """Nothing where the convolutions that read the output pad by themselves."""
    operator = op.operator
    assert isinstance(operator, ops.Pad)
    if op.output in context.folded_pads:
        return
    order = context.common_order(op.inputs)
    pads = context.attribute("pads", onnx_pads(reordered(operator.paddings, order)))
    dtype = value_dtype(context.tensor(op.output))
    value = context.attribute("value", operator.value, dtype)
    y = context.node("Pad", [context.value(op.inputs[0], order), pads, value])
    context.bind(op.output, y, order)


@emitter(ops.MirrorPad)
def mirror_pad(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.MirrorPad)
    order = context.common_order(op.inputs)
    x = context.value(op.inputs[0], order)
    paddings = reordered(operator.paddings, order)
    if operator.mode == "reflect":
        pads = context.attribute("pads", onnx_pads(paddings))
        y = context.node("Pad", [x, pads], mode="reflect")
    else:
        y = x
        for axis, (before, after) in enumerate(paddings):
            y = mirrored(y, axis, before, after, op, context)
    context.bind(op.output, y, order)


def mirrored(x: str, axis: int, before: int, after: int, op: Op, context: Context) -> str:
    """The edge itself is repeated, which ONNX's Pad cannot do."""
    parts = [x]
    if before:
        head = sliced(x, [(axis, slice(before - 1, None, -1))], context)
        parts.insert(0, context.on_grid(head, op.output))
    if after:
        tail = sliced(x, [(axis, slice(None, -after - 1, -1))], context)
        parts.append(context.on_grid(tail, op.output))
    if len(parts) == 1:
        return x
    return context.on_grid(context.node("Concat", parts, axis=axis), op.output)
