"""Dense layers and embeddings."""

from typing import Any

import numpy as np

from edgenn.frontend.compose.einsum import einsum
from edgenn.frontend.context import Context, as_array
from edgenn.frontend.handlers.activations import activate
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler
from edgenn.ir.ops import FullyConnected, Gather

layers = keras.layers


@handler(layers.Dense)
def dense(context: Context, layer: Any, x: str) -> str:
    """Over the last axis of any rank."""
    inputs = [x, context.weight(layer.kernel, "kernel", lambda k: np.ascontiguousarray(k.T))]
    if layer.bias is not None:
        inputs.append(context.weight(layer.bias, "bias"))
    return activate(context, layer.activation, context.add(FullyConnected(), inputs))


@handler(layers.EinsumDense)
def einsum_dense(context: Context, layer: Any, x: str) -> str:
    """Any equation without diagonals."""
    bias = None if layer.bias is None else as_array(layer.bias)
    kernel = context.weight(layer.kernel, "kernel")
    y = einsum(context, layer.equation, x, kernel, bias=bias)
    return activate(context, layer.activation, y)


@handler(layers.Embedding)
def embedding(context: Context, layer: Any, x: str) -> str:
    """Integers, and real numbers cut down to them."""
    indices = x if context.dtype(x) in ("int32", "int64") else context.cast(x, "int32")
    return context.add(Gather(0), [context.weight(layer.embeddings, "embeddings"), indices])
