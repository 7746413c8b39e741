"""Resizing of images: channels-first."""

from fractions import Fraction

import numpy as np

from edgenn.errors import UnsupportedError
from edgenn.export.onnx.context import Context
from edgenn.export.onnx.layouts import channels_first
from edgenn.export.onnx.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.ops.resize import Resize

COORDINATES: dict[tuple[bool, bool], str] = {
    (False, True): "half_pixel",
    (True, False): "align_corners",
    (False, False): "asymmetric",
}
"""By ``(align_corners, half_pixel_centers)``."""
HEIGHT_AND_WIDTH = (2, 3)
"""Their axes in NCHW."""


def coordinates(op: Op, resize: Resize) -> str:
    """The name of the graph's sampling positions.

    Raises:
        UnsupportedError: Centred pixels and aligned corners at once.
    """
    sampling = (resize.align_corners, resize.half_pixel_centers)
    if sampling not in COORDINATES:
        raise UnsupportedError(
            f"{op.name}: ONNX has no resizing with both aligned corners and centred pixels",
            hint="choose one of the two",
        )
    return COORDINATES[sampling]


def resized(x: str, op: Op, resize: Resize, context: Context, **how: str) -> str:
    """A Resize by scales, which hold for any batch; by sizes where the image's own is open.

    The attribute ``axes`` would allow two sizes, but ONNX Runtime 1.32 refuses that once it has
    moved a Transpose past the Resize.
    """
    images = context.tensor(op.inputs[0]).shape[1:3]
    pairs = list(zip(images, resize.size, strict=True))
    known = [float(scale(before, after)) for before, after in pairs if before is not None]
    if len(known) == len(pairs):
        target = [context.attribute("scales", [1, 1, *known], "float32")]
    else:
        batch = context.node("Shape", [x], start=0, end=2)
        sizes = [batch, context.attribute("sizes", resize.size)]
        target = ["", context.node("Concat", sizes, axis=0)]
    where = coordinates(op, resize)
    return context.node("Resize", [x, "", *target], coordinate_transformation_mode=where, **how)


def scale(before: int, after: int) -> np.float32:
    """The smallest factor by which ``floor(before × factor)`` is ``after``."""
    factor = np.float32(after) / np.float32(before)
    if Fraction(float(factor)) * before < after:
        factor = np.nextafter(factor, np.float32(np.inf))
    return factor


@emitter(ops.ResizeBilinear)
def resize_bilinear(op: Op, context: Context) -> None:
    resize = op.operator
    assert isinstance(resize, ops.ResizeBilinear)
    x = context.channels_first(op.inputs[0])
    y = resized(x, op, resize, context, mode="linear")
    context.bind(op.output, y, channels_first(4))


@emitter(ops.ResizeNearest)
def resize_nearest(op: Op, context: Context) -> None:
    """A Resize, or the very pixels where rounding would decide between two."""
    resize = op.operator
    assert isinstance(resize, ops.ResizeNearest)
    x = context.channels_first(op.inputs[0])
    sizes = context.tensor(op.inputs[0]).shape[1:3]
    pairs = list(zip(sizes, resize.size, strict=True))
    if all(before is None or is_clear(resize, before, after) for before, after in pairs):
        rounding = "round_prefer_ceil" if coordinates(op, resize) != "asymmetric" else "floor"
        y = resized(x, op, resize, context, mode="nearest", nearest_mode=rounding)
    else:
        y = x
        for axis, (before, after) in zip(HEIGHT_AND_WIDTH, pairs, strict=True):
            assert before is not None, "an open size is resized by Resize"
            rows = context.attribute("pixels", resize.nearest(before, after))
            y = context.on_grid(context.node("Gather", [y, rows], axis=axis), op.output)
    context.bind(op.output, y, channels_first(4))


def is_clear(resize: ops.ResizeNearest, before: int, after: int) -> bool:
    """Whether no output position lies on the border between two pixels, or all is exact.

    Positions are rounded in float32, in another order in every engine. A whole number of output
    pixels for each input pixel is exact everywhere.
    """
    if after % before == 0 and not resize.align_corners:
        return True
    if resize.align_corners and after > 1:
        ratio, shift = Fraction(before - 1, after - 1), Fraction(1, 2)
    else:
        ratio, shift = Fraction(before, after), Fraction(0)
    center = Fraction(1, 2) if resize.half_pixel_centers else Fraction(0)
    positions = [(i + center) * ratio + shift for i in range(after)]
    borders = [i > 0 and position.denominator == 1 for i, position in enumerate(positions)]
    exact = np.array([position.numerator // position.denominator for position in positions])
    same = np.array_equal(np.clip(exact, 0, before - 1), resize.nearest(before, after))
    return same and not any(borders)
