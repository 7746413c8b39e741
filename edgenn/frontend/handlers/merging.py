"""Layers that merge several tensors."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from edgenn.frontend.compose.einsum import einsum
from edgenn.frontend.compose.normalization import unit_normalization
from edgenn.frontend.context import Context, TensorName
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler, register_table
from edgenn.frontend.walking import follow
from edgenn.ir.operator import Operator
from edgenn.ir.ops import Add, Concatenation, LogicalOr, Maximum, Minimum, Mul, Sub

layers = keras.layers


def merge(operator: Operator, context: Context, layer: Any, inputs: Sequence[str]) -> str:
    """Two or more inputs that broadcast; lower ranks get dimensions after the batch."""
    rank = max(context.rank(x) for x in inputs)
    aligned = []
    for x in inputs:
        while context.rank(x) < rank:
            x = context.expand_dims(x, 1)
        aligned.append(context.cast(x, context.outputs[0].dtype))
    return reduce(lambda a, b: context.add(operator, [a, b]), aligned)


def masked_merge(
    operator: Operator, context: Context, layer: Any, inputs: Sequence[TensorName]
) -> str:
    """As Add; values that a mask leaves out change nothing."""
    if context.masks.keys().isdisjoint(inputs):
        return merge(operator, context, layer, inputs)
    with context.inside(f"{context.path}/"):
        return str(follow(context, layer.call, (inputs,), {}))


register_table(merge, {layers.Add: Add(), layers.Subtract: Sub()})
register_table(
    masked_merge,
    {layers.Maximum: Maximum(), layers.Minimum: Minimum(), layers.Multiply: Mul()},
)


@handler(layers.Average)
def average(context: Context, layer: Any, inputs: Sequence[str]) -> str:
    """The sum times one over the number of inputs."""
    return context.apply(Mul(), merge(Add(), context, layer, inputs), 1 / len(inputs))


@handler(layers.Concatenate)
def concatenate(context: Context, layer: Any, inputs: Sequence[str]) -> str:
    """Along any axis."""
    dtype = context.outputs[0].dtype
    axis = context.axis(inputs[0], layer.axis)
    y = context.add(Concatenation(axis), [context.cast(x, dtype) for x in inputs])
    masks = [context.masks[x] for x in inputs if x in context.masks]
    if len(masks) == len(inputs) and all(context.rank(mask) == 2 for mask in masks):
        join_masks(context, y, masks, axis)
    return y


def join_masks(context: Context, y: str, masks: Sequence[str], axis: int) -> None:
    """What ``Concatenate.compute_mask`` gives for masks ``(batch, time)``, in fewer steps.

    Keras lays them out over all values, concatenates, and asks along the last axis for any.
    """
    if axis == context.rank(y) - 1:
        context.masks[y] = TensorName(
            reduce(lambda a, b: context.add(LogicalOr(), [a, b], "mask"), masks)
        )
    elif axis == 1:
        context.masks[y] = TensorName(context.add(Concatenation(1), masks, "mask"))


@handler(layers.Dot)
def dot(context: Context, layer: Any, inputs: Sequence[str]) -> str:
    """A batch matrix product over one axis of each input; also `normalize`."""
    x, y = inputs
    given = [layer.axes] * 2 if isinstance(layer.axes, int) else layer.axes
    axes = [context.axis(x, given[0]), context.axis(y, given[1])]
    if layer.normalize:
        x = unit_normalization(context, x, [axes[0]], keras.backend.epsilon())
        y = unit_normalization(context, y, [axes[1]], keras.backend.epsilon())
    x_rest, y_rest = "cdefg"[: context.rank(x) - 2], "hijkl"[: context.rank(y) - 2]

    def term(rest: str, axis: int) -> str:
        return "a" + rest[: axis - 1] + "b" + rest[axis - 1 :]

    equation = f"{term(x_rest, axes[0])},{term(y_rest, axes[1])}->a{x_rest}{y_rest}"
    product = einsum(context, equation, x, y)
    return context.expand_dims(product, 1) if context.rank(product) == 1 else product
