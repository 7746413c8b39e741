"""Operators with a number of steps among their attributes, for one step."""

from dataclasses import replace

import numpy as np

from edgenn.errors import UnsupportedError
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops import BroadcastTo, Reshape, StridedSlice, Tile, TransposeConv2D
from edgenn.ir.tensor import Tensor
from edgenn.lowering.recurrent.time.extents import Axis, size_of
from edgenn.lowering.recurrent.time.steps import LOOP_HINT, Steps


def at_one_step(op: Op, steps: Steps) -> Operator:
    """The op's operator where its inputs hold one step each."""
    if steps.single:
        return op.operator
    layout = steps.layouts.layout(op.outputs[0])
    timed = [steps.run_along(axis) for axis in layout]
    match op.operator:
        case Reshape(shape=shape) as reshape:
            return replace(reshape, shape=reshaped(op, shape, layout, steps))
        case Tile(multiples=multiples) as tile:
            return replace(tile, multiples=ones(multiples, timed))
        case BroadcastTo(shape=shape) as broadcast:
            return replace(broadcast, shape=ones(shape, timed))
        case StridedSlice() as cut:
            return whole_time(op, cut, steps)
        case TransposeConv2D(output_size=(height, width)) as convolution:
            sizes = (1 if timed[1] else height, 1 if timed[2] else width)
            return replace(convolution, output_size=sizes)
    return op.operator


def ones(sizes: tuple[int, ...], timed: list[bool]) -> tuple[int, ...]:
    """The sizes with 1 along time."""
    return tuple(1 if is_time else size for size, is_time in zip(sizes, timed, strict=True))


def reshaped(
    op: Op, sizes: tuple[int, ...], layout: tuple[Axis, ...], steps: Steps
) -> tuple[int, ...]:
    """The sizes with the steps taken out of them."""
    result = []
    for size, axis in zip(sizes, layout, strict=True):
        if steps.run_along(axis):
            left = size_of(extent for extent in axis if not steps.is_step(extent))
            size = -1 if left is None else left
        result.append(size)
    if result.count(-1) > 1:
        raise UnsupportedError(f"{steps.named(op)} has several open sizes", LOOP_HINT)
    return tuple(result)


def whole_time(op: Op, cut: StridedSlice, steps: Steps) -> StridedSlice:
    """The slice with all there is along time: it was that, or the last step."""
    timed = [steps.run_along(axis) for axis in steps.layouts.layout(op.inputs[0])]

    def opened(bounds: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(
            None if is_time else bound for bound, is_time in zip(bounds, timed, strict=True)
        )

    return replace(cut, begin=opened(cut.begin), end=opened(cut.end))


def constant_at_one_step(tensor: Tensor, axis: int) -> Tensor | None:
    """A constant cut to one step; ``None`` if its values differ from step to step."""
    assert tensor.data is not None
    first = np.take(tensor.data, [0], axis)
    if not np.array_equal(np.broadcast_to(first, tensor.data.shape), tensor.data):
        return None
    return tensor.with_(data=first, shape=first.shape)
