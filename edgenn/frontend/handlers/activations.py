"""Activation layers, and the activation argument of other layers."""

from collections.abc import Callable
from typing import Any

from edgenn.frontend.compose import activations
from edgenn.frontend.context import Context, TensorName, as_array
from edgenn.frontend.keras_import import keras
from edgenn.frontend.registry import handler
from edgenn.frontend.walking import convert, follow
from edgenn.ir.ops import Greater, Prelu, Select

layers = keras.layers

MASKED = -1e9
"""What Keras puts in place of masked values before a softmax."""

FUNCTIONS: dict[Any, Callable[[Context, str], str]] = {
    keras.activations.celu: activations.celu,
    keras.activations.elu: activations.elu,
    keras.activations.exponential: activations.exponential,
    keras.activations.gelu: activations.gelu,
    keras.activations.glu: activations.glu,
    keras.activations.hard_shrink: activations.hard_shrink,
    keras.activations.hard_sigmoid: activations.hard_sigmoid,
    keras.activations.hard_silu: activations.hard_silu,
    keras.activations.hard_tanh: activations.hard_tanh,
    keras.activations.leaky_relu: activations.leaky_relu,
    keras.activations.linear: activations.linear,
    keras.activations.log_sigmoid: activations.log_sigmoid,
    keras.activations.log_softmax: activations.log_softmax,
    keras.activations.mish: activations.mish,
    keras.activations.relu: activations.relu,
    keras.activations.relu6: activations.relu6,
    keras.activations.selu: activations.selu,
    keras.activations.sigmoid: activations.sigmoid,
    keras.activations.silu: activations.silu,
    keras.activations.soft_shrink: activations.soft_shrink,
    keras.activations.softmax: activations.softmax,
    keras.activations.softplus: activations.softplus,
    keras.activations.softsign: activations.softsign,
    keras.activations.sparse_plus: activations.sparse_plus,
    keras.activations.sparse_sigmoid: activations.sparse_sigmoid,
    keras.activations.squareplus: activations.squareplus,
    keras.activations.tanh: activations.tanh,
    keras.activations.tanh_shrink: activations.tanh_shrink,
}
"""Keras activation function → its composition with the default arguments."""


def activate(context: Context, function: Any, x: str) -> str:
    """Applies a layer's ``activation``: a Keras function, a layer, or any traceable function."""
    if function is None:
        return x
    if function in FUNCTIONS:
        return FUNCTIONS[function](context, x)
    if isinstance(function, keras.Layer):
        path = f"{context.path}/{function.name}"
        with context.call(path, context.outputs):
            return str(convert(context, function, (TensorName(x),), {}))
    with context.inside(f"{context.path}/"):
        return str(follow(context, function, (TensorName(x),), {}))


@handler(layers.Activation)
def activation(context: Context, layer: Any, x: str) -> str:
    """The operators of its function, see below."""
    return activate(context, layer.activation, x)


@handler(layers.ReLU)
def relu(context: Context, layer: Any, x: str) -> str:
    return activations.relu(context, x, layer.negative_slope, layer.max_value, layer.threshold)


@handler(layers.LeakyReLU)
def leaky_relu(context: Context, layer: Any, x: str) -> str:
    return activations.leaky_relu(context, x, layer.negative_slope)


@handler(layers.ELU)
def elu(context: Context, layer: Any, x: str) -> str:
    return activations.elu(context, x, layer.alpha)


@handler(layers.Softmax)
def softmax(context: Context, layer: Any, x: str, mask: Any = None) -> str:
    """Over any axes; masked values become 0."""
    if mask is None:
        return activations.softmax(context, x, layer.axis)
    kept = mask if isinstance(mask, str) else context.constant(as_array(mask), "mask")
    if context.dtype(kept) != "bool":
        kept = context.apply(Greater(), kept, 0.5)
    low = context.operand(MASKED, context.dtype(x))
    y = activations.softmax(context, context.add(Select(), [kept, x, low]), layer.axis)
    return context.add(Select(), [kept, y, context.operand(0, context.dtype(x))])


@handler(layers.PReLU)
def prelu(context: Context, layer: Any, x: str) -> str:
    """One slope per element, or shared along `shared_axes`."""
    return context.add(Prelu(), [x, context.weight(layer.alpha, "alpha")])
