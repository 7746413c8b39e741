"""Makes explicit zero padding part of the window ops that follow it."""

from dataclasses import replace

from edgenn.ir.graph import Op
from edgenn.ir.operator import Padding
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, Pad
from edgenn.ir.ops.geometry import pad_amounts
from edgenn.passes.base import Pass
from edgenn.passes.rewriter import Rewriter


class FoldPadding(Pass):
    """Folds explicit padding.

    Rules:

    1. Pad of a pad with the same value becomes one pad.
    2. Zero padding, then a VALID convolution or depthwise convolution → the SAME one, where
       the amounts are those that TensorFlow's SAME gives for that size, stride and dilation.
    """

    name = "fold_padding"

    def rewrite(self, op: Op, graph: Rewriter) -> None:
        match op.operator:
            case Pad():
                merge_pads(op, op.operator, graph)
            case Conv2D() | DepthwiseConv2D():
                fold_into_window(op, op.operator, graph)


def pad_before(op: Op, graph: Rewriter) -> tuple[Op, Pad] | None:
    """The pad whose output only ``op`` reads."""
    producer = graph.producer(op.inputs[0])
    if producer is None or not isinstance(producer.operator, Pad):
        return None
    return (producer, producer.operator) if graph.is_single_use(op.inputs[0]) else None


def merge_pads(op: Op, operator: Pad, graph: Rewriter) -> None:
    """Rule 1."""
    before = pad_before(op, graph)
    if before is None or before[1].value != operator.value:
        return
    first, inner = before
    paddings = tuple(
        (a[0] + b[0], a[1] + b[1]) for a, b in zip(inner.paddings, operator.paddings, strict=True)
    )
    merged = replace(operator, paddings=paddings)
    graph.replace(op, graph.make(merged, first.inputs, op.output))


def fold_into_window(op: Op, operator: Conv2D | DepthwiseConv2D, graph: Rewriter) -> None:
    """Rule 2."""
    before = pad_before(op, graph)
    if before is None or before[1].value != 0 or operator.padding is not Padding.VALID:
        return
    first, pad = before
    sizes = graph.tensors[first.inputs[0]].shape[1:3]
    kernel = graph.tensors[op.inputs[1]].shape[1:3]
    same = [(0, 0)]
    for size, extent, stride, dilation in zip(
        sizes, kernel, operator.strides, operator.dilations, strict=True
    ):
        if size is None or extent is None:
            return
        same.append(pad_amounts(size, extent, stride, dilation, Padding.SAME))
    if pad.paddings == (*same, (0, 0)):
        inputs = (first.inputs[0], *op.inputs[1:])
        graph.replace(op, graph.make(replace(operator, padding=Padding.SAME), inputs, op.output))
