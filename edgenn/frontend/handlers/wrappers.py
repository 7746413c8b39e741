"""Layers around other layers."""

from typing import Any

from edgenn.frontend.compose.scan import Steps, write_scan
from edgenn.frontend.context import OPEN_HINT, Context, TensorName
from edgenn.frontend.handlers.activations import FUNCTIONS
from edgenn.frontend.handlers.identity import NOISE
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler
from edgenn.frontend.walking import call, functional_of

layers = keras.layers

ELEMENTWISE = (*NOISE, layers.ELU, layers.Embedding, layers.LeakyReLU, layers.ReLU)
"""Layers that do the same whatever dimensions come first."""

ACTIVATED = (layers.Activation, layers.Dense)
"""Layers of this kind if their activation is."""

ALONG_AXIS = (
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.RMSNormalization,
    layers.Softmax,
    layers.UnitNormalization,
)
"""Layers of this kind if they work along the last axis."""


@handler(layers.TimeDistributed)
def time_distributed(context: Context, layer: Any, x: str, mask: Any = None) -> str:
    """Around layers and models; a loop where too many sizes are open to join batch and steps."""
    inner = layer.layer
    x = context.detach(x)
    if keeps_leading_axes(inner):
        return inside(context, inner, x, None)
    batch, steps, *sizes = context.shape(x)
    merged = None if batch is None or steps is None else batch * steps
    if [batch, steps].count(None) > 1 or [merged, *sizes].count(None) > 1:
        return one_by_one(context, inner, x, mask)
    y = inside(context, inner, context.reshape(x, (merged, *sizes)), merged_mask(context, mask))
    return context.reshape(y, (batch, steps, *context.shape(y)[1:]))


def one_by_one(context: Context, inner: Any, x: str, mask: Any) -> str:
    """The wrapped layer in a loop over the steps: no reshape makes one axis of two open ones."""
    if mask is not None and inner._call_has_mask_arg:
        raise context.unsupported(
            f"{type(inner).__name__} runs on an open number of steps of an open batch, with a mask",
            OPEN_HINT,
        )

    def step(cell: Context, x: str, states: list[str]) -> tuple[str, list[str]]:
        return inside(cell, inner, x, None), states

    result = write_scan(context, Steps(x, initial=[]), step)
    assert result.sequence is not None
    return result.sequence


def inside(context: Context, inner: Any, x: str, mask: str | None) -> str:
    """The wrapped layer, which is given the mask if it takes one."""
    takes_mask = mask is not None and inner._call_has_mask_arg
    with context.call(f"{context.path}/{inner.name}", context.outputs):
        return str(call(context, inner, (TensorName(x),), {"mask": mask} if takes_mask else {}))


def merged_mask(context: Context, mask: Any) -> TensorName | None:
    """The masks of all steps one below the other: ``(batch * steps, …)``."""
    if mask is None:
        return None
    name = context.operand(mask, "bool")
    batch, steps, *sizes = context.shape(name)
    merged = None if batch is None or steps is None else batch * steps
    return TensorName(context.reshape(name, (merged, *sizes)))


def keeps_leading_axes(layer: Any) -> bool:
    """Whether a layer gives the same for each step, with the steps as a further axis or without."""
    kind, function = type(layer), functional_of(layer)
    if function is not None:
        inner = [x for x in function.operations if not isinstance(x, layers.InputLayer)]
        return all(keeps_leading_axes(operation) for operation in inner)
    if kind in ACTIVATED:
        activation = layer.activation
        return activation is None or activation in FUNCTIONS or keeps_leading_axes(activation)
    if kind in ALONG_AXIS:
        return layer.axis in (-1, [-1], (-1,))
    return kind in ELEMENTWISE
