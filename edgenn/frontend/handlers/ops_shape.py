"""``keras.ops``: moving, selecting, joining and repeating values."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgenn.frontend.context import OPEN_HINT, Context, as_array, element_count
from edgenn.frontend.handlers.ops_arithmetic import promoted, result_dtype
from edgenn.frontend.handlers.ops_indexing import take_constant
from edgenn.frontend.keras_operations import operation_table, operations
from edgenn.frontend.registry import handler, register_table
from edgenn.ir.ops import (
    Add,
    BroadcastTo,
    Cast,
    Concatenation,
    Equal,
    Less,
    LogicalNot,
    MirrorPad,
    Mul,
    NotEqual,
    Pack,
    Reverse,
    Split,
    Tile,
)
from edgenn.ir.tensor import Shape


@handler(*operations("Reshape"))
def reshape(context: Context, op: Any, x: str) -> str:
    """With at most one open size in the result."""
    shape = context.shape(x)
    given = [op.newshape] if isinstance(op.newshape, int) else list(op.newshape)
    target = [None if size == -1 else size for size in given]
    if shape.count(None) == given.count(None) == 1:
        # the open size itself is kept, so that -1 is computed from the others
        kept, open_size = given.index(None), 1
    else:
        kept, open_size = -1, None
        for i, size in enumerate(given):
            if size is None and i < len(shape):
                target[i] = shape[i]
    total = element_count(tuple(size or open_size for size in shape))
    if -1 in given and total is not None:
        known = [size for i, size in enumerate(target) if size is not None and i != kept]
        target[given.index(-1)] = total // (element_count(tuple(known)) or 1)
    return context.reshape(x, tuple(target))


@handler(*operations("Ravel"))
def ravel(context: Context, op: Any, x: str) -> str:
    return context.reshape(x, (element_count(context.shape(x)),))


@handler(*operations("Transpose"))
def transpose(context: Context, op: Any, x: str) -> str:
    axes = range(context.rank(x))[::-1] if op.axes is None else op.axes
    return context.transpose(x, [context.axis(x, axis) for axis in axes])


@handler(*operations("Swapaxes"))
def swapaxes(context: Context, op: Any, x: str) -> str:
    axes = list(range(context.rank(x)))
    first, second = context.axis(x, op.axis1), context.axis(x, op.axis2)
    axes[first], axes[second] = axes[second], axes[first]
    return context.transpose(x, axes)


@handler(*operations("Moveaxis"))
def moveaxis(context: Context, op: Any, x: str) -> str:
    sources = [context.axis(x, axis) for axis in op.source]
    axes = [axis for axis in range(context.rank(x)) if axis not in sources]
    targets = [context.axis(x, axis) for axis in op.destination]
    for target, source in sorted(zip(targets, sources, strict=True)):
        axes.insert(target, source)
    return context.transpose(x, axes)


@handler(*operations("ExpandDims"))
def expand_dims(context: Context, op: Any, x: str) -> str:
    """One axis or several."""
    axes = [op.axis] if isinstance(op.axis, int) else op.axis
    rank = context.rank(x) + len(axes)
    for axis in sorted(axis + rank if axis < 0 else axis for axis in axes):
        x = context.expand_dims(x, axis)
    return x


@handler(*operations("Squeeze"))
def squeeze(context: Context, op: Any, x: str) -> str:
    """Given axes, or all of size 1."""
    if op.axis is None:
        return context.squeeze(x, *(i for i, size in enumerate(context.shape(x)) if size == 1))
    return context.squeeze(x, *([op.axis] if isinstance(op.axis, int) else op.axis))


def join(axis: int | None, context: Context, op: Any, tensors: Sequence[Any]) -> str:
    """Along any axis, with Keras's dtype promotion."""
    names = promoted(context, *tensors)
    axis = op.axis if axis is None else axis
    if axis == 1 and context.rank(names[0]) == 1:  # hstack of vectors
        axis = 0
    return context.add(Concatenation(context.axis(names[0], axis)), names)


register_table(join, operation_table({"Concatenate": None, "Hstack": 1, "Vstack": 0}))


@handler(*operations("Append"))
def append(context: Context, op: Any, x1: Any, x2: Any) -> str:
    """Along an axis."""
    if op.axis is None:
        raise context.unsupported("append needs an axis", "flatten both tensors first")
    return join(None, context, op, [x1, x2])


@handler(*operations("Stack"))
def stack(context: Context, op: Any, tensors: Sequence[Any]) -> str:
    """Along a new axis."""
    names = promoted(context, *tensors)
    axis = op.axis + context.rank(names[0]) + 1 if op.axis < 0 else op.axis
    return context.add(Pack(axis), names)


@handler(*operations("Split", "ArraySplit"))
def split(context: Context, op: Any, x: str) -> list[str]:
    """Into equal parts, or at given indices."""
    axis = context.axis(x, op.axis)
    size = context.size(x, axis)
    given = op.indices_or_sections
    if isinstance(given, int):
        parts = [len(part) for part in np.array_split(np.arange(size), given)]
    else:
        parts = np.diff([0, *(int(i) for i in given), size]).tolist()
    if len(parts) == 1:
        return [x]
    names = [f"{context.path}/part" for _ in parts]
    return list(context.builder.add_multiple(Split(axis, tuple(parts)), [x], names))


@handler(*operations("Unstack"))
def unstack(context: Context, op: Any, x: str) -> list[str]:
    axis = context.axis(x, op.axis)
    size = context.size(x, axis)
    if size == 1:
        return [context.squeeze(x, axis)]
    names = [f"{context.path}/part" for _ in range(size)]
    parts = context.builder.add_multiple(Split(axis, (1,) * size), [x], names)
    return [context.squeeze(part, axis) for part in parts]


@handler(*operations("Pad"))
def pad(context: Context, op: Any, x: str, constant_values: Any = None) -> str:
    """Modes `constant`, `reflect` and `symmetric`."""
    width = op.pad_width
    if isinstance(width, int):
        width = ((width, width),)
    amounts = [(int(p), int(p)) if isinstance(p, int) else (int(p[0]), int(p[1])) for p in width]
    amounts = amounts * context.rank(x) if len(amounts) == 1 else amounts
    if op.mode == "constant":
        value = 0 if constant_values is None else as_array(constant_values)
        return context.pad(x, amounts, float(value))
    if op.mode not in ("reflect", "symmetric"):
        raise context.unsupported(f"padding mode {op.mode!r} is not supported", "pad otherwise")
    return context.add(MirrorPad(tuple(amounts), op.mode), [x])


@handler(*operations("Tile"))
def tile(context: Context, op: Any, x: str) -> str:
    repeats = [op.repeats] if isinstance(op.repeats, int) else [int(n) for n in op.repeats]
    while context.rank(x) < len(repeats):
        x = context.expand_dims(x, 0)
    repeats = [1] * (context.rank(x) - len(repeats)) + repeats
    return context.add(Tile(tuple(repeats)), [x])


@handler(*operations("Repeat"))
def repeat(context: Context, op: Any, x: str) -> str:
    """Every value equally often; different counts need a fixed size."""
    counts = np.ravel(as_array(op.repeats)).astype(int)
    axis = 0 if op.axis is None else context.axis(x, op.axis)
    if op.axis is None:
        x = context.reshape(x, (element_count(context.shape(x)),))
    shape: list[int | None] = list(context.shape(x))
    if len(counts) > 1 or (shape.count(None) > 1 and shape[axis] is not None):
        indices = np.repeat(np.arange(context.size(x, axis)), counts)
        return take_constant(context, x, indices, axis)
    tiled = context.expand_dims(x, axis + 1)
    multiples = [1] * context.rank(tiled)
    multiples[axis + 1] = int(counts[0])
    size = shape[axis]
    shape[axis] = None if size is None else size * int(counts[0])
    return context.reshape(context.add(Tile(tuple(multiples)), [tiled]), tuple(shape))


@handler(*operations("BroadcastTo"))
def broadcast_to(context: Context, op: Any, x: str) -> str:
    """Open sizes must be those of the input."""
    target: Shape = tuple(op.shape)
    if None not in target and None not in context.shape(x):
        return context.add(BroadcastTo(tuple(int(size or 0) for size in target)), [x])
    while context.rank(x) < len(target):
        x = context.expand_dims(x, 0)
    multiples = []
    for own, wanted in zip(context.shape(x), target, strict=True):
        if wanted is None and own is not None:
            raise context.unsupported(f"cannot broadcast {own} to an open size", OPEN_HINT)
        multiples.append(wanted if own == 1 and wanted is not None else 1)
    return context.add(Tile(tuple(multiples)), [x])


@handler(*operations("Flip"))
def flip(context: Context, op: Any, x: str) -> str:
    """Given axes, or all."""
    axes = range(context.rank(x)) if op.axis is None else op.axis
    axes = [axes] if isinstance(axes, int) else axes
    return context.add(Reverse(tuple(context.axis(x, axis) for axis in axes)), [x])


@handler(*operations("Roll"))
def roll(context: Context, op: Any, x: str) -> str:
    """Along given axes."""
    if op.axis is None:
        raise context.unsupported("roll needs an axis", "flatten the tensor first")
    shifts = [op.shift] if isinstance(op.shift, int) else list(op.shift)
    axes = [op.axis] if isinstance(op.axis, int) else list(op.axis)
    for shift, given in zip(shifts, axes, strict=True):
        axis = context.axis(x, given)
        split_at = -shift % context.size(x, axis)
        if split_at:
            head = context.crop(x, {axis: slice(0, split_at)})
            tail = context.crop(x, {axis: slice(split_at, None)})
            x = context.add(Concatenation(axis), [tail, head])
    return x


def filled(value: int, context: Context, op: Any, x: str) -> str:
    """A constant where the shape is fixed."""
    dtype, shape = result_dtype(context), context.shape(x)
    if None not in shape:
        return context.constant(np.full([size or 0 for size in shape], value, dtype), "filled")
    if dtype == "bool":
        never = context.add(NotEqual() if context.dtype(x) == "bool" else Less(), [x, x])
        return context.add(LogicalNot(), [never]) if value else never
    zeros = context.apply(Mul(), context.cast(x, dtype), 0)
    return context.apply(Add(), zeros, value) if value else zeros


register_table(filled, operation_table({"OnesLike": 1, "ZerosLike": 0}))


def triangle(function: Any, context: Context, op: Any, x: str) -> str:
    """A product with a constant mask over the last two axes."""
    rows, columns = (context.size(x, axis) for axis in (-2, -1))
    return context.apply(Mul(), x, function(np.ones((rows, columns)), op.k))


register_table(triangle, operation_table({"Tril": np.tril, "Triu": np.triu}))


@handler(*operations("OneHot"))
def one_hot(context: Context, op: Any, x: str) -> str:
    """Classes along any axis."""
    rank = context.rank(x)
    axis = op.axis + rank + 1 if op.axis < 0 else op.axis
    classes = np.arange(op.num_classes).reshape([-1] + [1] * (rank - axis))
    same = context.apply(Equal(), context.expand_dims(x, axis), classes)
    return context.add(Cast(result_dtype(context)), [same])
