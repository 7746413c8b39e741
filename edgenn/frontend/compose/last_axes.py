"""The last axes of a tensor laid out anew, whatever is open before them."""

from math import prod

from edgenn.frontend.context import Context
from edgenn.ir.ops import Concatenation, Pack, Split, Squeeze


def with_last_axes(context: Context, x: str, kept: int, sizes: tuple[int, ...]) -> str:
    """``x`` with the values behind its first ``kept`` axes in another shape, in C order.

    A reshape takes one open size. Where more are open, the values are cut and put together along
    axes: one piece for each index but the last.
    """
    first, old = context.shape(x)[:kept], context.shape(x)[kept:]
    if old == sizes:
        return x
    if first.count(None) <= 1 or None in old:
        return context.reshape(x, (*first, *sizes))
    if not old:
        x = context.expand_dims(x, kept)
    for _ in old[1:]:
        x = merged(context, x, kept)
    for index, size in enumerate(sizes[:-1]):
        x = divided(context, x, kept + index, size, prod(sizes[index + 1 :]))
    return x if sizes else context.squeeze(x, kept)


def merged(context: Context, x: str, axis: int) -> str:
    """The axis and the one behind it as one."""
    count = context.shape(x)[axis]
    assert count is not None
    rows = split(context, x, axis, (1,) * count)
    rows = [context.add(Squeeze((axis,)), [row]) for row in rows]
    return context.add(Concatenation(axis), rows) if count > 1 else rows[0]


def divided(context: Context, x: str, axis: int, count: int, size: int) -> str:
    """The axis as two, of these sizes."""
    return context.add(Pack(axis), split(context, x, axis, (size,) * count))


def split(context: Context, x: str, axis: int, sizes: tuple[int, ...]) -> list[str]:
    if len(sizes) == 1:
        return [x]
    names = [f"{context.path}/part"] * len(sizes)
    return list(context.builder.add_multiple(Split(axis, sizes), [x], names))
