"""Masks and states of what runs over time: ``(B, T)`` of bool, ``(B, …)``."""

from typing import Any

import numpy as np

from edgenn.frontend.context import Context, as_array
from edgenn.frontend.keras_import import keras
from edgenn.ir.ops import Add, Cast, CumSum, ExpandDims, Greater, Mul, Reverse, Select

TIME = 1


def as_mask(context: Context, x: str, mask: Any) -> str | None:
    """The mask of a call over ``x`` as a tensor ``(B, T)`` of bool.

    Args:
        mask: As Keras takes it: a tensor or array of any dtype, ``(B, T)`` or ``(B, T, 1)``,
            alone or the first of a list.
    """
    mask = keras.tree.flatten(mask)[0]
    if mask is None:
        return None
    if isinstance(mask, str):
        name = context.cast(mask, "bool")
    else:
        array = as_array(mask).astype(bool)
        batch = context.shape(x)[0]
        if batch is None:
            name = context.cast(for_each_sample(context, x, array.astype("float32")), "bool")
        else:
            rows = np.broadcast_to(array, (batch, *array.shape[1:]))
            name = context.constant(rows, "mask")
    if context.rank(name) == 3 and context.shape(name)[2] == 1:
        name = context.squeeze(name, 2)
    if context.rank(name) != 2:
        shape = context.shape(name)
        raise context.unsupported(f"its mask is of shape {shape}", "give it one bool per step")
    return name


def for_each_sample(context: Context, x: str, values: Any) -> str:
    """A tensor, array or variable with as many rows as ``x`` has; a single row is repeated."""
    batch = context.shape(x)[0]
    if not isinstance(values, str):
        array = as_array(values)
        if batch is not None:
            array = np.broadcast_to(array, (batch, *array.shape[1:]))
        values = context.constant(array, "initial")
    shape = context.shape(values)
    if shape[0] in (None, batch):
        return str(values)
    if shape[0] != 1:
        raise context.unsupported(
            f"a constant is for {shape[0]} samples, the batch is {batch or 'open'}",
            f"fix the batch (batch={shape[0]}, --batch {shape[0]})",
        )
    first = context.crop(x, {axis: slice(0, 1) for axis in range(1, context.rank(x))})
    column = context.reshape(first, (batch, *[1] * (len(shape) - 1)))
    nothing = context.apply(Mul(), context.cast(column, context.dtype(values)), 0)
    return context.apply(Add(), nothing, values)


def spread(context: Context, mask: str, rank: int) -> str:
    """The mask with axes of size 1 behind, for values of this rank."""
    shape = (*context.shape(mask), *[1] * (rank - context.rank(mask)))
    if shape.count(None) <= 1:
        return context.reshape(mask, shape)
    while context.rank(mask) < rank:
        mask = context.add(ExpandDims(context.rank(mask)), [mask])
    return mask


def where(context: Context, mask: str, x: str) -> str:
    """``x`` where the mask is true, zeros elsewhere."""
    kept = spread(context, mask, context.rank(x))
    return context.add(Select(), [kept, x, context.operand(0, context.dtype(x))])


def reversed_in_time(context: Context, x: str) -> str:
    return context.add(Reverse((TIME,)), [x])


def started(context: Context, mask: str, reverse: bool) -> str:
    """Which steps come at or after the first that counts."""
    if reverse:
        mask = reversed_in_time(context, mask)
    count = context.add(CumSum(TIME), [context.add(Cast("int32"), [mask])])
    so_far = context.apply(Greater(), count, 0)
    return reversed_in_time(context, so_far) if reverse else so_far


def any_step(context: Context, mask: str) -> str:
    """Whether any step of a sample counts, ``(B,)``: by the last step, for the step form."""
    return at_end(context, started(context, mask, False), False)


def at_end(context: Context, mask: str, reverse: bool) -> str:
    """Whether the step that is run last counts, ``(B,)``."""
    cut = slice(0, 1) if reverse else slice(-1, None)
    return context.squeeze(context.crop(mask, {TIME: cut}), TIME)
