"""Normalisation layers."""

from typing import Any

from edgenn.frontend.compose import normalization
from edgenn.frontend.context import Context
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler

layers = keras.layers


def listed(axis: int | list[int] | tuple[int, ...]) -> list[int]:
    return [axis] if isinstance(axis, int) else list(axis)


@handler(layers.BatchNormalization)
def batch_normalization(context: Context, layer: Any, x: str, mask: Any = None) -> str:
    """The moving statistics, as one product and one sum per channel."""
    return normalization.batch_normalization(
        context,
        x,
        layer.moving_mean,
        layer.moving_variance,
        layer.gamma,
        layer.beta,
        layer.axis,
        layer.epsilon,
    )


@handler(layers.LayerNormalization)
def layer_normalization(context: Context, layer: Any, x: str) -> str:
    """Over any axes."""
    return normalization.layer_normalization(
        context, x, layer.gamma, layer.beta, listed(layer.axis), layer.epsilon, layer.rms_scaling
    )


@handler(layers.GroupNormalization)
def group_normalization(context: Context, layer: Any, x: str) -> str:
    """Any number of groups, on any axis."""
    channels = context.size(x, context.axis(x, layer.axis))
    groups = channels if layer.groups == -1 else layer.groups
    return normalization.group_normalization(
        context, x, layer.gamma, layer.beta, layer.axis, groups, layer.epsilon
    )


@handler(layers.RMSNormalization)
def rms_normalization(context: Context, layer: Any, x: str) -> str:
    """Over any axes."""
    return normalization.rms_normalization(
        context, x, layer.scale, listed(layer.axis), layer.epsilon
    )


@handler(layers.UnitNormalization)
def unit_normalization(context: Context, layer: Any, x: str) -> str:
    """L2 norm of 1 over any axes."""
    return normalization.unit_normalization(context, x, listed(layer.axis), 1e-12)
