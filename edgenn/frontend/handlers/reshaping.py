"""Layers that move, add and remove values."""

from math import prod
from typing import Any

from edgenn.frontend.context import Context, element_count
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler
from edgenn.ir.ops import Tile

layers = keras.layers


@handler(layers.Flatten)
def flatten(context: Context, layer: Any, x: str) -> str:
    """Both data formats."""
    if layer.data_format == "channels_first" and context.rank(x) > 2:
        x = context.transpose(x, (0, *range(2, context.rank(x)), 1))
    batch, *rest = context.shape(x)
    return context.reshape(x, (batch, element_count(tuple(rest))))


@handler(layers.Reshape)
def reshape(context: Context, layer: Any, x: str) -> str:
    """With at most one open size in the result."""
    batch, *rest = context.shape(x)
    target = [None if size == -1 else size for size in layer.target_shape]
    total = element_count(tuple(rest))
    if total is not None and None in target:
        known = prod(size for size in target if size is not None)
        target[target.index(None)] = total // known
    return context.reshape(x, (batch, *target))


@handler(layers.Permute)
def permute(context: Context, layer: Any, x: str) -> str:
    return context.transpose(x, (0, *layer.dims))


@handler(layers.RepeatVector)
def repeat_vector(context: Context, layer: Any, x: str) -> str:
    return context.add(Tile((1, layer.n, 1)), [context.expand_dims(x, 1)])


@handler(layers.ZeroPadding1D, layers.ZeroPadding2D)
def zero_padding(context: Context, layer: Any, x: str) -> str:
    """Both data formats."""
    return context.pad(x, [spatial for _, spatial in borders(context, layer, layer.padding, x)])


@handler(layers.Cropping1D, layers.Cropping2D)
def cropping(context: Context, layer: Any, x: str) -> str:
    """Both data formats."""
    cuts = {
        axis: slice(before, -after if after else None)
        for axis, (before, after) in borders(context, layer, layer.cropping, x)
        if before or after
    }
    return context.crop(x, cuts) if cuts else x


def borders(
    context: Context, layer: Any, amounts: Any, x: str
) -> list[tuple[int, tuple[int, int]]]:
    """``(axis, (before, after))`` for every axis."""
    spatial = [tuple(amounts)] if context.rank(x) == 3 else [tuple(pair) for pair in amounts]
    first = 2 if getattr(layer, "data_format", None) == "channels_first" else 1
    result = [(axis, (0, 0)) for axis in range(context.rank(x))]
    result[first : first + len(spatial)] = [
        (first + i, (int(before), int(after))) for i, (before, after) in enumerate(spatial)
    ]
    return result
