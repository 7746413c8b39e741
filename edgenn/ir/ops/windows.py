"""Sliding-window sums in NumPy: one matrix product per kernel tap, no im2col copy.

The arrays' dtype is kept: float32 for float evaluation, float64 for exact integer sums
(every product of int8 or int16 by int8 values sums exactly below 2**53).
"""

import numpy as np

from edgenn.ir.operator import Padding
from edgenn.ir.ops.geometry import output_size, pad_amounts
from edgenn.ir.tensor import Array

Pair = tuple[int, int]


def padded(
    x: Array,
    kernel: Pair,
    strides: Pair,
    dilations: Pair,
    padding: Padding,
    value: float = 0.0,
) -> Array:
    """``x`` (NHWC) with its spatial borders filled as ``padding`` asks."""
    amounts = [
        pad_amounts(size, k, s, d, padding)
        for size, k, s, d in zip(x.shape[1:3], kernel, strides, dilations, strict=True)
    ]
    if not any(before or after for before, after in amounts):
        return x
    return np.pad(x, [(0, 0), *amounts, (0, 0)], constant_values=value)


def window_shape(x: Array, kernel: Pair, strides: Pair, dilations: Pair, padding: Padding) -> Pair:
    """Output height and width."""
    sizes = [
        output_size(size, k, s, d, padding)
        for size, k, s, d in zip(x.shape[1:3], kernel, strides, dilations, strict=True)
    ]
    assert sizes[0] is not None and sizes[1] is not None
    return sizes[0], sizes[1]


def tap(x: Array, i: int, j: int, output: Pair, strides: Pair, dilations: Pair) -> Array:
    """The values of padded ``x`` under kernel tap ``(i, j)``, shape ``(N, *output, C)``."""
    top, left = i * dilations[0], j * dilations[1]
    bottom = top + (output[0] - 1) * strides[0] + 1
    right = left + (output[1] - 1) * strides[1] + 1
    return x[:, top : bottom : strides[0], left : right : strides[1], :]


def convolve(
    x: Array,
    kernel: Array,
    strides: Pair,
    dilations: Pair,
    padding: Padding,
    groups: int = 1,
) -> Array:
    """Convolution of ``x`` (N, H, W, I) with ``kernel`` (O, kh, kw, I / groups)."""
    if groups > 1:
        parts = zip(np.split(x, groups, 3), np.split(kernel, groups, 0), strict=True)
        return np.concatenate(
            [convolve(part, k, strides, dilations, padding) for part, k in parts], axis=3
        )
    channels, kh, kw, depth = kernel.shape
    output = window_shape(x, (kh, kw), strides, dilations, padding)
    x = padded(x, (kh, kw), strides, dilations, padding)
    total: Array | None = None
    for i in range(kh):
        for j in range(kw):
            rows = tap(x, i, j, output, strides, dilations).reshape(-1, depth)
            product = rows @ kernel[:, i, j, :].T
            total = product if total is None else np.add(total, product, out=total)
    assert total is not None
    return total.reshape(len(x), *output, channels)


def depthwise_convolve(
    x: Array, kernel: Array, strides: Pair, dilations: Pair, padding: Padding
) -> Array:
    """Convolution of each channel of ``x`` (N, H, W, C) with ``kernel`` (1, kh, kw, C·m)."""
    _, kh, kw, channels = kernel.shape
    output = window_shape(x, (kh, kw), strides, dilations, padding)
    x = padded(x, (kh, kw), strides, dilations, padding)
    multiplier = channels // x.shape[3]
    if multiplier > 1:
        x = np.repeat(x, multiplier, axis=3)
    total = np.zeros((len(x), *output, channels), x.dtype)
    product = np.empty_like(total)
    for i in range(kh):
        for j in range(kw):
            rows = tap(x, i, j, output, strides, dilations)
            np.multiply(rows, kernel[0, i, j], out=product)
            np.add(total, product, out=total)
    return total


def transposed_convolve(
    x: Array, kernel: Array, output: Pair, strides: Pair, padding: Padding
) -> Array:
    """Scatters ``x`` (N, H, W, I) times ``kernel`` (O, kh, kw, I) into (N, *output, O)."""
    channels, kh, kw, depth = kernel.shape
    batch, height, width, _ = x.shape
    before = [
        pad_amounts(size, k, s, 1, padding)[0]
        for size, k, s in zip(output, (kh, kw), strides, strict=True)
    ]
    span_h = max((height - 1) * strides[0] + kh, output[0] + before[0])
    span_w = max((width - 1) * strides[1] + kw, output[1] + before[1])
    canvas = np.zeros((batch, span_h, span_w, channels), x.dtype)
    rows = np.ascontiguousarray(x).reshape(-1, depth)
    for i in range(kh):
        for j in range(kw):
            product = (rows @ kernel[:, i, j, :].T).reshape(batch, height, width, channels)
            tap(canvas, i, j, (height, width), strides, (1, 1))[...] += product
    top, left = before
    return canvas[:, top : top + output[0], left : left + output[1], :]
