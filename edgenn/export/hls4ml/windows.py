"""The attributes of sliding windows, as hls4ml calls them."""

from edgenn.ir.operator import Padding
from edgenn.ir.ops.geometry import pad_amounts

Pair = tuple[int, int]


def window(
    x: tuple[int, ...], y: tuple[int, ...], size: Pair, strides: Pair, padding: Padding
) -> dict[str, int]:
    """Of a window that slides over an image.

    Args:
        x: Of the image, ``(H, W, C)``.
        y: Of the result.
    """
    (top, bottom), (left, right) = (
        pad_amounts(extent, kernel, stride, 1, padding)
        for extent, kernel, stride in zip(x[:2], size, strides, strict=True)
    )
    return {
        "in_height": x[0],
        "in_width": x[1],
        "out_height": y[0],
        "out_width": y[1],
        "stride_height": strides[0],
        "stride_width": strides[1],
        "pad_top": top,
        "pad_bottom": bottom,
        "pad_left": left,
        "pad_right": right,
    }
