"""Normalisations, composed of means, products and ``RSQRT``, which all have integer kernels."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from edgenn.frontend.context import Context, as_array
from edgenn.ir.ops import Add, Maximum, Mean, Mul, Rsqrt, Sub, Sum, Tile
from edgenn.ir.tensor import Array, Shape


def along(context: Context, x: str, values: Array, axes: Sequence[int]) -> Array:
    """``values``, one for each element of ``axes`` of ``x``, shaped to broadcast against ``x``.

    Leading axes of size 1 are left out, so that a scale per channel is a vector.
    """
    shape = [context.size(x, i) if i in axes else 1 for i in range(context.rank(x))]
    return values.reshape(shape[min(axes) :])


def affine(context: Context, x: str, scale: Array, offset: Array, axis: int) -> str:
    """``x * scale + offset``, both float64 per element of ``axis``."""
    factor = context.constant(along(context, x, scale, [axis]), "scale")
    y = context.add(Mul(), [x, factor])
    return context.add(Add(), [y, context.constant(along(context, x, offset, [axis]), "offset")])


def batch_normalization(
    context: Context,
    x: str,
    mean: Any,
    variance: Any,
    gamma: Any,
    beta: Any,
    axis: int,
    epsilon: float,
) -> str:
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``; constants in float64."""
    scale = 1 / np.sqrt(as_array(variance).astype(np.float64) + epsilon)
    if gamma is not None:
        scale = scale * as_array(gamma).astype(np.float64)
    offset = -as_array(mean).astype(np.float64) * scale
    if beta is not None:
        offset = offset + as_array(beta).astype(np.float64)
    return affine(context, x, scale, offset, context.axis(x, axis))


def rescaled(context: Context, x: str, gamma: Any, beta: Any, axes: Sequence[int]) -> str:
    """``x * gamma + beta``, each where given, per element of ``axes``."""
    for operator, variable, suffix in ((Mul(), gamma, "gamma"), (Add(), beta, "beta")):
        if variable is not None:
            constant = context.weight(variable, suffix, partial(along, context, x, axes=axes))
            x = context.add(operator, [x, constant])
    return x


def layer_normalization(
    context: Context,
    x: str,
    gamma: Any,
    beta: Any,
    axes: Sequence[int],
    epsilon: float,
    rms_scaling: bool = False,
) -> str:
    """Zero mean and unit variance over ``axes``, then ``gamma`` and ``beta``."""
    axes = sorted(context.axis(x, axis) for axis in axes)
    centered = context.apply(Sub(), x, context.add(Mean(tuple(axes), True), [x]))
    factor = inverse_deviation(context, centered, axes, epsilon)
    y = context.apply(Mul(), x if rms_scaling else centered, factor)
    return rescaled(context, y, gamma, beta, axes)


def inverse_deviation(context: Context, x: str, axes: Sequence[int], epsilon: float) -> str:
    """``1 / sqrt(mean(x²) + epsilon)`` over ``axes``, kept as size 1."""
    power = context.add(Mean(tuple(axes), True), [context.apply(Mul(), x, x)], "variance")
    return context.apply(Rsqrt(), context.apply(Add(), power, epsilon))


def rms_normalization(
    context: Context, x: str, scale: Any, axes: Sequence[int], epsilon: float
) -> str:
    """``x / sqrt(mean(x²) + epsilon) * scale`` (Zhang & Sennrich 2019, arXiv 1910.07467)."""
    axes = sorted(context.axis(x, axis) for axis in axes)
    y = context.apply(Mul(), x, inverse_deviation(context, x, axes, epsilon))
    return rescaled(context, y, scale, None, axes)


def unit_normalization(context: Context, x: str, axes: Sequence[int], epsilon: float) -> str:
    """``x / max(sqrt(sum(x²)), epsilon)``: an L2 norm of 1 over ``axes``."""
    axes = sorted(context.axis(x, axis) for axis in axes)
    total = context.add(Sum(tuple(axes), True), [context.apply(Mul(), x, x)])
    return context.apply(
        Mul(), x, context.apply(Rsqrt(), context.apply(Maximum(), total, epsilon**2))
    )


def group_normalization(
    context: Context, x: str, gamma: Any, beta: Any, axis: int, groups: int, epsilon: float
) -> str:
    """Zero mean and unit variance over each group of channels (Wu & He 2018, 1803.08494).

    The means are taken over the other axes first and then within the groups, so that no
    tensor needs more dimensions than the input.
    """
    axis = context.axis(x, axis)
    others = tuple(i for i in range(1, context.rank(x)) if i != axis)
    centered = context.apply(Sub(), x, group_mean(context, x, axis, others, groups))
    square = context.apply(Mul(), centered, centered)
    variance = group_mean(context, square, axis, others, groups)
    factor = context.apply(Rsqrt(), context.apply(Add(), variance, epsilon))
    return rescaled(context, context.apply(Mul(), centered, factor), gamma, beta, [axis])


def group_mean(context: Context, x: str, axis: int, others: tuple[int, ...], groups: int) -> str:
    """The mean over ``others`` and within each group of ``axis``, repeated for each channel."""
    channels = context.size(x, axis)
    mean = context.add(Mean(others, True), [x]) if others else x
    if groups == channels:
        return mean
    shape: Shape = context.shape(mean)
    grouped = context.reshape(mean, (shape[0], groups, channels // groups))
    grouped = context.add(Mean((2,), True), [grouped], "group_mean")
    return context.reshape(context.add(Tile((1, 1, channels // groups)), [grouped]), shape)
