"""Resizing of NHWC images."""

from typing import Any

from edgenn.frontend.context import Context
from edgenn.ir.ops import ResizeBilinear, ResizeNearest

RESIZERS = {"nearest": ResizeNearest, "bilinear": ResizeBilinear}


def resize(
    context: Context, x: str, size: tuple[int, int], interpolation: str, antialias: bool = False
) -> str:
    """``tf.image.resize``: pixel centres lie at half integers; bilinear makes floats."""
    height, width = context.shape(x)[1:3]
    if (height, width) == size:
        return x
    if interpolation not in RESIZERS:
        raise context.unsupported(
            f"interpolation {interpolation!r} is not supported", 'use "bilinear" or "nearest"'
        )
    shrinks = None in (height, width) or size[0] < (height or 0) or size[1] < (width or 0)
    if antialias and interpolation != "nearest" and shrinks:
        raise context.unsupported(
            "antialias=True is not supported where the image shrinks", "use antialias=False"
        )
    operator = RESIZERS[interpolation](size, half_pixel_centers=True)
    if interpolation == "nearest":
        return context.add(operator, [x])
    return context.add(operator, [context.cast(x, "float32")])


def resize_to(context: Context, settings: Any, x: str, target: tuple[int, int]) -> str:
    """``keras.ops.image.resize`` with the settings of a layer or operation."""
    if settings.crop_to_aspect_ratio:
        rows, columns = aspect_crop(image_size(context, x), target)
        x = context.crop(x, {1: rows, 2: columns})
    elif settings.pad_to_aspect_ratio:
        amounts = aspect_padding(image_size(context, x), target)
        x = context.pad(x, [(0, 0), *amounts, (0, 0)], settings.fill_value)
    return resize(context, x, target, settings.interpolation, settings.antialias)


def image_size(context: Context, x: str) -> tuple[int, int]:
    """Height and width, which must be fixed."""
    return context.size(x, 1), context.size(x, 2)


def aspect_crop(size: tuple[int, int], target: tuple[int, int]) -> tuple[slice, slice]:
    """The centred part of an image that has the aspect ratio of ``target``."""
    cuts = []
    for i, j in ((0, 1), (1, 0)):
        extent = max(min(size[i], int(size[j] * target[i] / target[j])), 1)
        start = int((size[i] - extent) / 2)
        cuts.append(slice(start, start + extent))
    return cuts[0], cuts[1]


def aspect_padding(size: tuple[int, int], target: tuple[int, int]) -> list[tuple[int, int]]:
    """Equal padding on both sides that brings an image near the aspect ratio of ``target``."""
    amounts = []
    for i, j in ((0, 1), (1, 0)):
        extent = max(size[i], int(size[j] * target[i] / target[j]))
        before = int((extent - size[i]) / 2)
        amounts.append((before, before))
    return amounts
