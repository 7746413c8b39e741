"""Layers that scale, resize, crop and normalise images."""

from typing import Any

import numpy as np

from edgenn.frontend.compose.convolution import as_image, pair
from edgenn.frontend.compose.resizing import aspect_crop, image_size, resize, resize_to
from edgenn.frontend.context import Context, as_array
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler
from edgenn.ir.ops import Add, Mul, Round

layers = keras.layers


@handler(layers.UpSampling1D, layers.UpSampling2D)
def up_sampling(context: Context, layer: Any, x: str) -> str:
    """`nearest` and `bilinear`; sizes must be fixed, batch apart."""
    factors = pair(layer.size, context.rank(x) - 2)
    interpolation = getattr(layer, "interpolation", "nearest")

    def function(image: str) -> str:
        height, width = (context.size(image, i + 1) * factors[i] for i in (0, 1))
        return resize(context, image, (height, width), interpolation)

    channels_first = getattr(layer, "data_format", "channels_last") == "channels_first"
    return as_image(context, x, channels_first, function)


@handler(layers.Resizing)
def resizing(context: Context, layer: Any, x: str) -> str:
    """`nearest` and `bilinear`, cropping or padding to the aspect ratio; `antialias` enlarges."""
    target = (layer.height, layer.width)

    def function(image: str) -> str:
        return resize_to(context, layer, image, target)

    y = as_image(context, x, layer.data_format == "channels_first", function)
    if context.dtype(y) == context.dtype(x):
        return y
    return context.cast(context.apply(Round(), y), context.dtype(x))


@handler(layers.CenterCrop)
def center_crop(context: Context, layer: Any, x: str) -> str:
    """The centre; a smaller image is resized, its aspect ratio kept, and cropped."""
    target = (layer.height, layer.width)

    def function(image: str) -> str:
        size = image_size(context, image)
        if size[0] >= target[0] and size[1] >= target[1]:
            starts = [(s - t) // 2 for s, t in zip(size, target, strict=True)]
            cuts = [slice(s, s + t) for s, t in zip(starts, target, strict=True)]
            return context.crop(image, {1: cuts[0], 2: cuts[1]})
        rows, columns = aspect_crop(size, target)
        return resize(context, context.crop(image, {1: rows, 2: columns}), target, "bilinear")

    x = context.cast(x, context.outputs[0].dtype)
    return as_image(context, x, layer.data_format == "channels_first", function)


@handler(layers.Rescaling)
def rescaling(context: Context, layer: Any, x: str) -> str:
    """`scale` and `offset`, numbers or one per channel."""
    x = context.cast(x, context.outputs[0].dtype)
    for operator, value, neutral in ((Mul(), layer.scale, 1), (Add(), layer.offset, 0)):
        if np.any(np.asarray(value) != neutral):
            x = context.apply(operator, x, np.asarray(value))
    return x


@handler(layers.Normalization)
def normalization(context: Context, layer: Any, x: str) -> str:
    """Adapted or given mean and variance; also `invert`."""
    x = context.cast(x, context.outputs[0].dtype)
    mean = as_array(layer.mean).astype(np.float64)
    deviation = np.sqrt(as_array(layer.variance).astype(np.float64))
    deviation = np.maximum(deviation, keras.backend.epsilon())
    scale, offset = (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)
    leading = next((i for i, size in enumerate(mean.shape) if size != 1), mean.ndim)
    shape = mean.shape[leading:]
    y = context.add(Mul(), [x, context.constant(scale.reshape(shape), "scale")])
    return context.add(Add(), [y, context.constant(offset.reshape(shape), "offset")])
