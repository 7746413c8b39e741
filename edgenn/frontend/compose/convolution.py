"""Convolutions and pooling of Keras in one and two dimensions, channels last or first.

Everything is brought to two dimensions and channels last; a 1-D signal is an image of height 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from edgenn.frontend.context import Context
from edgenn.ir.operator import Padding
from edgenn.ir.ops import (
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    MaxPool2D,
    TransposeConv2D,
)
from edgenn.ir.tensor import Array

Sizes = int | Sequence[int]


@dataclass(frozen=True)
class Window:
    """How a kernel slides, as a Keras layer or operation states it."""

    strides: Sizes
    padding: str
    dilations: Sizes = 1
    channels_first: bool = False
    output_padding: Sizes | None = None
    groups: int = field(default=1)

    @classmethod
    def of(cls, layer: Any) -> "Window":
        """The window of a convolution layer or operation."""
        return cls(
            layer.strides,
            layer.padding,
            layer.dilation_rate,
            layer.data_format == "channels_first",
            getattr(layer, "output_padding", None),
        )


def pair(value: Sizes, rank: int, filler: int = 1) -> tuple[int, int]:
    """Sizes per spatial dimension as two; a 1-D one gets ``filler`` in front."""
    sizes = [value] * rank if isinstance(value, int) else list(value)
    height, width = ([filler] * (2 - rank) + [int(size) for size in sizes])[-2:]
    return height, width


def as_image(context: Context, x: str, channels_first: bool, function: Callable[[str], str]) -> str:
    """Applies ``function``, which takes NHWC, to a signal or image of either layout."""
    rank = context.rank(x) - 2
    if rank not in (1, 2):
        raise context.unsupported(f"{rank}-D windows are not supported", "use 1-D or 2-D layers")
    if channels_first:
        x = context.transpose(x, (0, *range(2, rank + 2), 1))
    y = function(context.expand_dims(x, 1)) if rank == 1 else function(x)
    if rank == 1:
        y = context.squeeze(y, 1)
    return context.transpose(y, (0, rank + 1, *range(1, rank + 1))) if channels_first else y


def as_2d(kernel: Array) -> Array:
    """A 1-D kernel ``(k, …)`` as a 2-D one of height 1."""
    return kernel[np.newaxis] if kernel.ndim == 3 else kernel


def convolve(
    context: Context, x: str, kernel: Any, bias: Any, window: Window, suffix: str = "kernel"
) -> str:
    """A convolution; ``kernel`` is Keras's ``(…, I / groups, O)``."""
    rank = context.rank(x) - 2

    def function(image: str) -> str:
        channels = context.size(image, 3)
        groups = channels // kernel.shape[-2]
        padded, padding = causal(context, image, kernel.shape[0], window)
        strides, dilations = pair(window.strides, rank), pair(window.dilations, rank)
        if groups == channels > 1:  # what TFLite's kernels are made for
            weights = context.weight(
                kernel, suffix, lambda k: np.moveaxis(as_2d(k), 2, 0).astype(k.dtype)
            )
            return with_bias(
                context,
                DepthwiseConv2D(strides=strides, dilations=dilations, padding=padding),
                padded,
                weights,
                bias,
            )
        weights = context.weight(
            kernel, suffix, lambda k: np.ascontiguousarray(as_2d(k).transpose(3, 0, 1, 2))
        )
        operator = Conv2D(strides=strides, dilations=dilations, padding=padding, groups=groups)
        return with_bias(context, operator, padded, weights, bias)

    return as_image(context, x, window.channels_first, function)


def depthwise_convolve(
    context: Context, x: str, kernel: Any, bias: Any, window: Window, suffix: str = "kernel"
) -> str:
    """A depthwise convolution; ``kernel`` is Keras's ``(…, C, multiplier)``."""
    rank = context.rank(x) - 2

    def function(image: str) -> str:
        weights = context.weight(
            kernel, suffix, lambda k: as_2d(k).reshape(1, *as_2d(k).shape[:2], -1)
        )
        padded, padding = causal(context, image, kernel.shape[0], window)
        operator = DepthwiseConv2D(
            strides=pair(window.strides, rank),
            dilations=pair(window.dilations, rank),
            padding=padding,
        )
        return with_bias(context, operator, padded, weights, bias)

    return as_image(context, x, window.channels_first, function)


def causal(context: Context, image: str, size: int, window: Window) -> tuple[str, Padding]:
    """The padding; a causal 1-D window gets its zeros in front, written out."""
    if window.padding != "causal":
        return image, Padding(window.padding)
    (_, dilation) = pair(window.dilations, 1)
    amounts = [(0, 0), (0, 0), (dilation * (size - 1), 0), (0, 0)]
    return context.pad(image, amounts), Padding.VALID


def with_bias(context: Context, operator: Any, x: str, weights: str, bias: Any) -> str:
    inputs = [x, weights] if bias is None else [x, weights, context.weight(bias, "bias")]
    return context.add(operator, inputs)


def convolve_transposed(context: Context, x: str, kernel: Any, bias: Any, window: Window) -> str:
    """A transposed convolution; ``kernel`` is Keras's ``(…, O, I)``.

    Dilation spreads the kernel with zeros. Output sizes: Keras's
    ``compute_conv_transpose_output_shape``.
    """
    rank = context.rank(x) - 2
    strides, dilations = pair(window.strides, rank), pair(window.dilations, rank)
    sizes = pair(tuple(kernel.shape[:rank]), rank)
    given = window.output_padding
    extra = (None, None) if given is None else pair(given, rank, filler=0)
    same = window.padding == "same"

    def transform(array: Array) -> Array:
        spread = dilated(as_2d(array), dilations)
        return np.ascontiguousarray(spread.transpose(2, 0, 1, 3))

    def function(image: str) -> str:
        output = [1, 1]
        for i in range(2 - rank, 2):
            extent = (sizes[i] - 1) * dilations[i] + 1
            size, stride, more = context.size(image, i + 1), strides[i], extra[i]
            if same:
                full = size * stride
                output[i] = full if more is None else (size - 1) * stride + extent % 2 + more
            else:
                more = max(extent, stride) - extent if more is None else more
                output[i] = (size - 1) * stride + extent + more
        operator = TransposeConv2D(
            output_size=(output[0], output[1]), strides=strides, padding=Padding(window.padding)
        )
        weights = context.weight(kernel, "kernel", transform)
        return with_bias(context, operator, image, weights, bias)

    return as_image(context, x, window.channels_first, function)


def dilated(kernel: Array, dilations: tuple[int, int]) -> Array:
    """``kernel`` with ``dilation - 1`` zeros between its taps."""
    if dilations == (1, 1):
        return kernel
    extents = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:2], dilations, strict=True)]
    spread = np.zeros((*extents, *kernel.shape[2:]), kernel.dtype)
    spread[:: dilations[0], :: dilations[1]] = kernel
    return spread


def pool(
    context: Context,
    x: str,
    operator: type[MaxPool2D] | type[AveragePool2D],
    size: Sizes,
    window: Window,
) -> str:
    """Max or average pooling over windows."""
    rank = context.rank(x) - 2
    sizes, strides = pair(size, rank), pair(window.strides, rank)
    if prod(sizes) == prod(strides) == 1:
        return x
    return as_image(
        context,
        x,
        window.channels_first,
        lambda image: context.add(
            operator(size=sizes, strides=strides, padding=Padding(window.padding)), [image]
        ),
    )
