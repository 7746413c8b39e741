"""Pooling layers in one and two dimensions."""

from typing import Any

from edgenn.frontend.compose import time
from edgenn.frontend.compose.convolution import Window, pool
from edgenn.frontend.context import Context
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler, register_table
from edgenn.ir.ops import AveragePool2D, Div, MaxPool2D, Mean, ReduceMax, Select

layers = keras.layers


def pooling(operator: Any, context: Context, layer: Any, x: str) -> str:
    """Any size, strides and padding, both data formats."""
    window = Window(layer.strides, layer.padding, 1, layer.data_format == "channels_first")
    return pool(context, x, operator, layer.pool_size, window)


def global_pooling(operator: Any, context: Context, layer: Any, x: str) -> str:
    """Over open sizes too; also `keepdims`."""
    first = 2 if layer.data_format == "channels_first" else 1
    axes = tuple(range(first, first + context.rank(x) - 2))
    return context.add(operator(axes, layer.keepdims), [x])


@handler(layers.GlobalAveragePooling1D)
def average_of_steps(context: Context, layer: Any, x: str, mask: Any = None) -> str:
    """Over open sizes too; also `keepdims`; steps that a mask takes out have no part in it.

    What is kept over how many are kept, both as means of all steps: the number of steps, which
    may be open, falls out.
    """
    kept = time.as_mask(context, x, mask)
    if kept is None:
        return global_pooling(Mean, context, layer, x)
    kept = context.expand_dims(kept, 1 if layer.data_format == "channels_first" else 2)
    x = context.add(Select(), [kept, x, context.operand(0, context.dtype(x))])
    ones = context.cast(kept, context.dtype(x))
    means = [global_pooling(Mean, context, layer, values) for values in (x, ones)]
    return context.add(Div(), means)


register_table(
    pooling,
    {
        layers.AveragePooling1D: AveragePool2D,
        layers.AveragePooling2D: AveragePool2D,
        layers.MaxPooling1D: MaxPool2D,
        layers.MaxPooling2D: MaxPool2D,
    },
)
register_table(
    global_pooling,
    {
        layers.GlobalAveragePooling2D: Mean,
        layers.GlobalMaxPooling1D: ReduceMax,
        layers.GlobalMaxPooling2D: ReduceMax,
    },
)
