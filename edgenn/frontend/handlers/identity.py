"""Layers that do nothing at inference, and Masking."""

import inspect
from typing import Any

from edgenn.frontend.context import Context, TensorName
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler
from edgenn.ir.ops import NotEqual, ReduceAny, Select

layers = keras.layers

NOISE = (
    layers.ActivityRegularization,
    layers.AlphaDropout,
    layers.Dropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Identity,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
)
AUGMENTATION = tuple(
    layer
    for name, layer in sorted(vars(layers).items())
    if (name.startswith("Random") or name in ("AugMix", "CutMix", "MixUp", "RandAugment"))
    and inspect.isclass(layer)
)


@handler(*NOISE)
def identity(context: Context, layer: Any, x: str) -> str:
    """Nothing, at inference."""
    return x


@handler(*AUGMENTATION)
def augmentation(context: Context, layer: Any, x: str) -> str:
    """Nothing but a cast to real numbers, at inference."""
    return context.cast(x, context.outputs[0].dtype)


@handler(layers.Masking)
def masking(context: Context, layer: Any, x: str) -> str:
    """Zeros for masked steps, and their mask."""
    differs = context.apply(NotEqual(), x, layer.mask_value)
    kept = context.add(ReduceAny((context.rank(x) - 1,), True), [differs])
    y = context.add(Select(), [kept, x, context.operand(0, context.dtype(x))])
    context.masks[y] = TensorName(context.squeeze(kept, -1))
    return y
