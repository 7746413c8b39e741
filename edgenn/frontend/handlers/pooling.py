"""Pooling layers in one and two dimensions."""

from typing import Any

from edgenn.frontend.compose.convolution import Window, pool
from edgenn.frontend.context import Context
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import register_table
from edgenn.ir.ops import AveragePool2D, MaxPool2D, Mean, ReduceMax

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
        layers.GlobalAveragePooling1D: Mean,
        layers.GlobalAveragePooling2D: Mean,
        layers.GlobalMaxPooling1D: ReduceMax,
        layers.GlobalMaxPooling2D: ReduceMax,
    },
)
