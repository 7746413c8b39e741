"""``keras.ops``: indexing, slicing and gathering."""

from typing import Any

import numpy as np

from edgenn.frontend.context import Context, as_array, element_count
from edgenn.frontend.keras_operations import operations
from edgenn.frontend.registry import handler
from edgenn.ir.ops import Gather, StridedSlice
from edgenn.ir.tensor import Array


@handler(*operations("GetItem"))
def get_item(context: Context, op: Any, x: str, key: Any) -> str:
    """Numbers, slices, ellipses, new axes, and an index tensor or array on one axis."""
    items = list(key) if is_several(key) else [key]
    indexed = sum(item is not None and item is not Ellipsis for item in items)
    if Ellipsis not in [item for item in items if isinstance(item, type(Ellipsis))]:
        items.append(Ellipsis)
    fill = [slice(None)] * (context.rank(x) - indexed)
    at = next(i for i, item in enumerate(items) if item is Ellipsis)
    items[at : at + 1] = fill
    cuts = [item for item in items if item is not None]
    gathered = {axis: cut for axis, cut in enumerate(cuts) if not isinstance(cut, slice | int)}
    gathered = {axis: cut for axis, cut in gathered.items() if not is_number(cut)}
    x, squeezed = slice_tensor(context, x, cuts, set(gathered))
    if len(gathered) > 1:
        raise context.unsupported("index tensors on several axes", "index one axis at a time")
    for axis, indices in gathered.items():
        x = take(context, x, indices, axis - sum(number < axis for number in squeezed))
    position = 0
    for item in items:
        if item is None:
            x = context.expand_dims(x, position)
        position += 0 if is_number(item) else 1
    return x


def is_several(key: Any) -> bool:
    """Whether a key has an index for each axis: a tuple, which a saved model holds as a list."""
    if isinstance(key, tuple):
        return True
    return isinstance(key, list) and any(
        item is None or item is Ellipsis or isinstance(item, slice) for item in key
    )


def is_number(item: Any) -> bool:
    """Whether an index is one integer that is known now."""
    if isinstance(item, str | slice) or item is None:
        return False
    return isinstance(item, int) or np.ndim(as_array(item)) == 0


def slice_tensor(
    context: Context, x: str, cuts: list[Any], untouched: set[int]
) -> tuple[str, list[int]]:
    """Applies slices and numbers; gives the tensor and the axes that fell away."""
    begin, end, strides, squeezed = [], [], [], []
    for axis, cut in enumerate(cuts):
        if axis in untouched:
            cut = slice(None)
        if isinstance(cut, slice):
            begin.append(None if cut.start is None else int(cut.start))
            end.append(None if cut.stop is None else int(cut.stop))
            strides.append(1 if cut.step is None else int(cut.step))
        else:
            number = int(as_array(cut))
            begin.append(number)
            end.append(None if number == -1 else number + 1)
            strides.append(1)
            squeezed.append(axis)
    if not squeezed and all(
        b in (None, 0) and e is None and s == 1 for b, e, s in zip(begin, end, strides, strict=True)
    ):
        return x, squeezed
    operator = StridedSlice(tuple(begin), tuple(end), tuple(strides), tuple(squeezed))
    return context.add(operator, [x]), squeezed


def take(context: Context, x: Any, indices: Any, axis: int) -> str:
    """Slices of ``x`` along ``axis``; constant indices may be negative."""
    if not isinstance(indices, str):
        return take_constant(context, x, as_array(indices), axis)
    if context.dtype(indices) not in ("int32", "int64"):
        indices = context.cast(indices, "int32")
    return context.add(Gather(axis), [x, indices])


def take_constant(context: Context, x: str, indices: Array, axis: int) -> str:
    if indices.dtype == bool:
        indices = np.flatnonzero(indices)
    if (indices < 0).any():
        indices = np.where(indices < 0, indices + context.size(x, axis), indices)
    return context.add(Gather(axis), [x, context.constant(indices.astype(np.int32), "indices")])


@handler(*operations("Take"))
def take_operation(context: Context, op: Any, x: Any, indices: Any) -> str:
    """Along an axis, or from the flat tensor; indices must not be negative at run time."""
    if not isinstance(x, str):
        x = context.operand(x, context.outputs[0].dtype)
    if op.axis is None:
        return take(context, context.reshape(x, (element_count(context.shape(x)),)), indices, 0)
    return take(context, x, indices, context.axis(x, op.axis))


@handler(*operations("Slice"))
def slice_operation(context: Context, op: Any, x: str, start_indices: Any) -> str:
    """At start indices that are known now."""
    if any(isinstance(start, str) for start in np.atleast_1d(np.array(start_indices, object))):
        raise context.unsupported("slices at a computed position", "use fixed start indices")
    starts = [int(start) for start in as_array(start_indices)]
    cuts = [
        slice(start, None if size in (-1, None) else start + int(size))
        for start, size in zip(starts, op.shape, strict=True)
    ]
    return slice_tensor(context, x, cuts, set())[0]
