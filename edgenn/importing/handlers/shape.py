"""Operators that move values without computing new ones."""

import numpy as np

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.registry import handler
from edgenn.importing.words import require_no_activation
from edgenn.ir import ops
from edgenn.ir.ops.reduction import normalized


@handler("RESHAPE")
def reshape(node: Node, context: Context) -> None:
    """To the sizes of the second input; without one, those of the options."""
    if node.input(1) is None:
        sizes = [int(size) for size in node.option("newShape", ())]
    else:
        sizes = with_one_open(node, context)
    context.add(ops.Reshape(tuple(sizes)), node.given[:1], node.outputs)


def with_one_open(node: Node, context: Context) -> list[int]:
    """The new shape; -1 for the size that follows from the others.

    Raises:
        UnsupportedError: Several sizes are open.
    """
    numbers = context.numbers(node, 1, "output sizes").reshape(-1)
    sizes = [-1 if np.isnan(size) else int(size) for size in numbers]
    if sizes.count(-1) > 1:
        raise context.unsupported(node, "several of its sizes are open until run time")
    return sizes


@handler("EXPAND_DIMS")
def expand_dims(node: Node, context: Context) -> None:
    (axis,) = context.integers(node, 1, "axis")
    rank = context.tensor(node.given[0]).rank
    context.add(ops.ExpandDims(normalized(axis, rank + 1)), node.given[:1], node.outputs)


@handler("SQUEEZE")
def squeeze(node: Node, context: Context) -> None:
    """Without axes: all of size 1."""
    shape = context.tensor(node.given[0]).shape
    listed = node.option("squeezeDims", None)
    axes = [] if listed is None else [normalized(int(axis), len(shape)) for axis in listed]
    axes = axes or [axis for axis, size in enumerate(shape) if size == 1]
    context.add(ops.Squeeze(tuple(sorted(axes))), node.given, node.outputs)


@handler("TRANSPOSE")
def transpose(node: Node, context: Context) -> None:
    rank = context.tensor(node.given[0]).rank
    order = [normalized(axis, rank) for axis in context.integers(node, 1, "permutation")]
    context.add(ops.Transpose(tuple(order)), node.given[:1], node.outputs)


@handler("CONCATENATION")
def concatenation(node: Node, context: Context) -> None:
    require_no_activation(node, context)
    require_one_scale(node, context)
    context.add(ops.Concatenation(node.option("axis")), node.given, node.outputs)


def require_one_scale(node: Node, context: Context) -> None:
    """Raises UnsupportedError for uint8 of several scales, which the kernel rescales.

    Of other integers it copies what is stored, whatever it stands for.
    """
    parameters = {context.tensor(name).quantization for name in (*node.given, node.name)}
    if context.tensor(node.name).dtype == "uint8" and len(parameters) > 1:
        raise context.unsupported(node, "it joins tensors of several scales")


@handler("PACK")
def pack(node: Node, context: Context) -> None:
    axis = normalized(node.option("axis"), context.tensor(node.given[0]).rank + 1)
    context.add(ops.Pack(axis), node.given, node.outputs)


@handler("UNPACK")
def unpack(node: Node, context: Context) -> None:
    """One slice for each output, without the axis."""
    (x,) = node.given
    rank = context.tensor(x).rank
    axis = normalized(node.option("axis"), rank)
    for number, output in enumerate(node.outputs):
        before, behind = (None,) * axis, (None,) * (rank - axis - 1)
        begin, end = (*before, number, *behind), (*before, number + 1, *behind)
        cut = ops.StridedSlice(begin, end, (1,) * rank, (axis,))
        context.add(cut, [x], [output])


@handler("SPLIT")
def split(node: Node, context: Context) -> None:
    (axis,) = context.integers(node, 0, "axis")
    x = node.given[1]
    size = context.tensor(x).shape[axis]
    if size is None:
        raise context.unsupported(node, "the size of its axis is open until run time")
    count = len(node.outputs)
    context.add(ops.Split(axis, (size // count,) * count), [x], node.outputs)


@handler("SPLIT_V")
def split_v(node: Node, context: Context) -> None:
    x = node.given[0]
    sizes = context.integers(node, 1, "sizes")
    (axis,) = context.integers(node, 2, "axis")
    if -1 in sizes:
        whole = context.tensor(x).shape[axis]
        if whole is None:
            raise context.unsupported(node, "the size of its axis is open until run time")
        sizes[sizes.index(-1)] = whole - sum(sizes) - 1
    context.add(ops.Split(axis, tuple(sizes)), [x], node.outputs)


@handler("REVERSE_V2")
def reverse(node: Node, context: Context) -> None:
    rank = context.tensor(node.given[0]).rank
    axes = [normalized(axis, rank) for axis in context.integers(node, 1, "axes")]
    context.add(ops.Reverse(tuple(axes)), node.given[:1], node.outputs)


@handler("GATHER")
def gather(node: Node, context: Context) -> None:
    x, indices = (context.tensor(name) for name in node.given)
    axis = normalized(node.option("axis"), x.rank)
    batch = node.option("batchDims")
    if batch == 0:
        context.add(ops.Gather(axis), node.given, node.outputs)
    elif batch == axis == 1 and indices.rank == 2:
        context.add(ops.GatherSteps(), node.given, node.outputs)
    else:
        raise context.unsupported(node, f"it gathers along axis {axis}, {batch} axes apart")


@handler("SHAPE")
def shape(node: Node, context: Context) -> None:
    context.add(ops.ShapeOf(context.tensor(node.name).dtype), node.given, node.outputs)


def pairs(node: Node, context: Context) -> tuple[tuple[int, int], ...]:
    numbers = context.integers(node, 1, "paddings")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


@handler("PAD")
def pad(node: Node, context: Context) -> None:
    context.add(ops.Pad(pairs(node, context)), node.given[:1], node.outputs)


@handler("PADV2")
def pad_with(node: Node, context: Context) -> None:
    value = context.tensor(node.given[2])
    if value.data is None or value.data.size != 1:
        raise context.unsupported(node, "the value that it fills with is computed")
    real = float(value.real().reshape(()))
    context.add(ops.Pad(pairs(node, context), real), node.given[:1], node.outputs)


@handler("MIRROR_PAD")
def mirror_pad(node: Node, context: Context) -> None:
    mode = ops.MirrorPad(pairs(node, context), "symmetric" if node.option("mode") else "reflect")
    context.add(mode, node.given[:1], node.outputs)


@handler("TILE")
def tile(node: Node, context: Context) -> None:
    multiples = context.integers(node, 1, "multiples")
    context.add(ops.Tile(tuple(multiples)), node.given[:1], node.outputs)


@handler("BROADCAST_TO")
def broadcast_to(node: Node, context: Context) -> None:
    sizes = context.integers(node, 1, "output sizes")
    context.add(ops.BroadcastTo(tuple(sizes)), node.given[:1], node.outputs)


@handler("FILL")
def fill(node: Node, context: Context) -> None:
    rank = context.tensor(node.name).rank
    context.add(ops.Fill(rank), node.given, node.outputs)


@handler("DYNAMIC_UPDATE_SLICE")
def update_slice(node: Node, context: Context) -> None:
    context.add(ops.UpdateSlice(), node.given, node.outputs)
