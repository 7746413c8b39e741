"""Rules of operators that move, repeat, join and cut values."""

from edgenn.ir.graph import Op
from edgenn.ir.ops import (
    BroadcastTo,
    Concatenation,
    ExpandDims,
    Gather,
    MirrorPad,
    Pack,
    Pad,
    Reshape,
    Reverse,
    Split,
    Squeeze,
    StridedSlice,
    Tile,
    Transpose,
)
from edgenn.ir.ops.reduction import normalized
from edgenn.lowering.recurrent.time.extents import Axis, Layout, Regrouping, Source, wide
from edgenn.lowering.recurrent.time.layouts import Layouts
from edgenn.lowering.recurrent.time.registry import JOIN, PART, output_size, rule

# --- repeating and turning


@rule(Reverse)
def reverse(layouts: Layouts, op: Op, operator: Reverse) -> list[Layout]:
    layout = layouts.layout(op.inputs[0])
    for axis in operator.axes:
        layouts.mix(op, layout[axis], "runs from the last step to the first")
    return [layout]


@rule(Pad, MirrorPad)
def pad(layouts: Layouts, op: Op, operator: Pad) -> list[Layout]:
    layout = layouts.layout(op.inputs[0])
    return [
        tuple(
            layouts.mixed(op, axis, output_size(layouts, op, i), JOIN) if any(amounts) else axis
            for i, (axis, amounts) in enumerate(zip(layout, operator.paddings, strict=True))
        )
    ]


@rule(Tile)
def tile(layouts: Layouts, op: Op, operator: Tile) -> list[Layout]:
    axes = []
    for i, times in enumerate(operator.multiples):
        axis, size = layouts.axis(op.inputs[0], i), output_size(layouts, op, i)
        if times == 1:
            axes.append(axis)
        elif not wide(axis) and layouts.size(op.inputs[0], i) == 1:
            axes.append(layouts.made(op, size, "repeats one value", Source.REPEATED))
        else:
            axes.append(layouts.mixed(op, axis, size, "repeats the steps"))
    return [tuple(axes)]


@rule(BroadcastTo)
def broadcast(layouts: Layouts, op: Op, operator: BroadcastTo) -> list[Layout]:
    rank, layout = len(operator.shape), layouts.layout(op.inputs[0])
    aligned = ((),) * (rank - len(layout)) + layout
    how = "repeats one value"
    return [
        tuple(
            axis or layouts.made(op, output_size(layouts, op, i), how, Source.REPEATED)
            for i, axis in enumerate(aligned)
        )
    ]


# --- joining and cutting


@rule(Concatenation)
def concatenation(layouts: Layouts, op: Op, operator: Concatenation) -> list[Layout]:
    if len(op.inputs) == 1:
        return [layouts.layout(op.inputs[0])]
    shape = layouts.graph.tensors[op.outputs[0]].shape
    at = normalized(operator.axis, len(shape))
    for name in op.inputs:
        layouts.mix(op, layouts.axis(name, at), JOIN)
    return [tuple(layouts.joined(op, range(len(op.inputs)), shape, skipped=(at,)))]


@rule(Pack)
def pack(layouts: Layouts, op: Op, operator: Pack) -> list[Layout]:
    shape = layouts.graph.tensors[op.inputs[0]].shape
    axes = layouts.joined(op, range(len(op.inputs)), shape)
    axes.insert(operator.axis, layouts.made(op, len(op.inputs), JOIN))
    return [tuple(axes)]


@rule(Split)
def split(layouts: Layouts, op: Op, operator: Split) -> list[Layout]:
    layout = layouts.layout(op.inputs[0])
    at = normalized(operator.axis, len(layout))
    if len(op.outputs) == 1:
        return [layout]
    layouts.mix(op, layout[at], PART)
    return [
        (*layout[:at], layouts.made(op, size, PART), *layout[at + 1 :]) for size in operator.sizes
    ]


@rule(StridedSlice)
def strided_slice(layouts: Layouts, op: Op, operator: StridedSlice) -> list[Layout]:
    (name,) = op.inputs
    axes: list[Axis] = []
    for i, (axis, cut) in enumerate(zip(layouts.layout(name), operator.slices, strict=True)):
        size = layouts.size(name, i)
        if i not in operator.squeezed and is_everything(cut, size):
            axes.append(axis)
            continue
        if len(axis) == 1 and is_last(cut, size):
            layouts.last[op.name] = axis[0]
            result: Axis = ()
        else:
            length = None if size is None else len(range(*cut.indices(size)))
            result = layouts.mixed(op, axis, length, PART)
        if i not in operator.squeezed:
            axes.append(result)
    return [tuple(axes)]


def is_everything(cut: slice, size: int | None) -> bool:
    """Whether a slice leaves nothing out and moves nothing."""
    if size is None:
        return cut.start in (None, 0) and cut.stop is None and cut.step in (None, 1)
    return cut.indices(size) == (0, size, 1)


def is_last(cut: slice, size: int | None) -> bool:
    """Whether a slice takes the last value alone."""
    if cut.step not in (None, 1):
        return False
    if size is None:
        return cut.start == -1 and cut.stop in (None, 0)
    return cut.indices(size)[:2] == (size - 1, size)


@rule(Gather)
def gather(layouts: Layouts, op: Op, operator: Gather) -> list[Layout]:
    x, indices = (layouts.layout(name) for name in op.inputs)
    at = normalized(operator.axis, len(x))
    layouts.mix(op, x[at], PART)
    return [(*x[:at], *indices, *x[at + 1 :])]


# --- the same values in other axes


@rule(Reshape)
def reshape(layouts: Layouts, op: Op, operator: Reshape) -> list[Layout]:
    extents = [extent for axis in layouts.layout(op.inputs[0]) for extent in axis]
    regrouping = Regrouping(extents, op.name)
    layout = regrouping.into(layouts.graph.tensors[op.outputs[0]].shape)
    layouts.mix(op, regrouping.scattered, "lays steps out anew")
    return [layout]


@rule(ExpandDims)
def expand_dims(layouts: Layouts, op: Op, operator: ExpandDims) -> list[Layout]:
    layout = layouts.layout(op.inputs[0])
    at = normalized(operator.axis, len(layout) + 1)
    return [(*layout[:at], (), *layout[at:])]


@rule(Squeeze)
def squeeze(layouts: Layouts, op: Op, operator: Squeeze) -> list[Layout]:
    layout = layouts.layout(op.inputs[0])
    return [tuple(axis for i, axis in enumerate(layout) if i not in operator.axes)]


@rule(Transpose)
def transpose(layouts: Layouts, op: Op, operator: Transpose) -> list[Layout]:
    layout = layouts.layout(op.inputs[0])
    return [tuple(layout[i] for i in operator.permutation)]
