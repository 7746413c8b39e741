"""Convolution layers in one and two dimensions."""

from typing import Any

from edgenn.frontend.compose.convolution import (
    Window,
    convolve,
    convolve_transposed,
    depthwise_convolve,
)
from edgenn.frontend.context import Context
from edgenn.frontend.handlers.activations import activate
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler

layers = keras.layers


@handler(layers.Conv1D, layers.Conv2D)
def conv(context: Context, layer: Any, x: str) -> str:
    """Strides, dilation, groups, causal padding, both data formats."""
    y = convolve(context, x, layer.kernel, layer.bias, Window.of(layer))
    return activate(context, layer.activation, y)


@handler(layers.DepthwiseConv1D, layers.DepthwiseConv2D)
def depthwise_conv(context: Context, layer: Any, x: str) -> str:
    """Depth multiplier, strides, dilation, both data formats."""
    y = depthwise_convolve(context, x, layer.kernel, layer.bias, Window.of(layer))
    return activate(context, layer.activation, y)


@handler(layers.SeparableConv1D, layers.SeparableConv2D)
def separable_conv(context: Context, layer: Any, x: str) -> str:
    """A depthwise convolution, then one of size 1."""
    y = depthwise_convolve(
        context, x, layer.depthwise_kernel, None, Window.of(layer), "depthwise_kernel"
    )
    pointwise = Window(1, "valid", 1, layer.data_format == "channels_first")
    y = convolve(context, y, layer.pointwise_kernel, layer.bias, pointwise, "pointwise_kernel")
    return activate(context, layer.activation, y)


@handler(layers.Conv1DTranspose, layers.Conv2DTranspose)
def conv_transpose(context: Context, layer: Any, x: str) -> str:
    """Output padding and dilation (as a spread kernel); sizes must be fixed, batch apart."""
    window = Window.of(layer)
    y = convolve_transposed(context, x, layer.kernel, layer.bias, window)
    return activate(context, layer.activation, y)
