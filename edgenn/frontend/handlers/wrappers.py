"""Layers around other layers."""

from typing import Any

from edgenn.frontend.context import Context, TensorName
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler
from edgenn.frontend.walking import convert

layers = keras.layers


@handler(layers.TimeDistributed)
def time_distributed(context: Context, layer: Any, x: str) -> str:
    """Steps become part of the batch; they must be a fixed number."""
    batch, _, *sizes = context.shape(x)
    steps = context.size(x, 1)

    def merged(first: int | None) -> int | None:
        return None if first is None else first * steps

    inner = layer.layer
    flat = context.reshape(x, (merged(batch), *sizes))
    with context.call(f"{context.path}/{inner.name}", context.outputs):
        y = str(convert(context, inner, (TensorName(flat),), {}))
    return context.reshape(y, (batch, steps, *context.shape(y)[1:]))
