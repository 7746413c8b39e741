"""Activations inside cells, by the names that ONNX's recurrent operators know them by."""

from collections.abc import Callable
from typing import Any

from edgenn.frontend.context import Context
from edgenn.frontend.handlers.activations import activate
from edgenn.frontend.keras_import import keras
from edgenn.frontend.loading.legacy_activations import keras2_hard_sigmoid
from edgenn.ir.ops.cell import CellActivation, named_activation

layers = keras.layers

Named = tuple[str, tuple[float, ...]]
"""A name and its parameters."""

LINEAR: Named = ("linear", ())
RELU: Named = ("relu", ())
CUSTOM: Named = ("custom", ())

FUNCTIONS: dict[Any, Named] = {
    None: LINEAR,
    keras.activations.linear: LINEAR,
    keras.activations.relu: RELU,
    keras.activations.tanh: ("tanh", ()),
    keras.activations.sigmoid: ("sigmoid", ()),
    keras.activations.hard_sigmoid: ("hard_sigmoid", (1 / 6, 0.5)),
    keras2_hard_sigmoid: ("hard_sigmoid", (0.2, 0.5)),
    keras.activations.softsign: ("softsign", ()),
    keras.activations.softplus: ("softplus", ()),
    keras.activations.elu: ("elu", (1.0,)),
    keras.activations.leaky_relu: ("leaky_relu", (0.2,)),
}


def relu(layer: Any) -> Named:
    if layer.threshold or layer.max_value is not None:
        return CUSTOM
    return ("leaky_relu", (float(layer.negative_slope),)) if layer.negative_slope else RELU


LAYERS: dict[type, Callable[[Any], Named]] = {
    layers.Activation: lambda layer: named(layer.activation),
    layers.ELU: lambda layer: ("elu", (float(layer.alpha),)),
    layers.LeakyReLU: lambda layer: ("leaky_relu", (float(layer.negative_slope),)),
    layers.ReLU: relu,
}


def named(function: Any) -> Named:
    """The name of a Keras function or layer; ``custom`` for any other."""
    if type(function) in LAYERS:
        return LAYERS[type(function)](function)
    return FUNCTIONS.get(function, CUSTOM)


def cell_activation(context: Context, function: Any, units: int) -> CellActivation:
    """A layer's activation as the cell's operator keeps it."""
    name, parameters = named(function)
    if name in ("tanh", "sigmoid"):
        return named_activation(name)
    if isinstance(function, keras.Layer) and not function.built:
        function.build((None, units))  # as Keras does at the first call
    inner = Context(context.path)
    x = inner.builder.input("x", (None, units))
    with inner.call(context.path, context.outputs):
        y = activate(inner, function, x)
    if inner.shape(y) != (None, units):
        raise context.unsupported(
            f"its activation makes {inner.shape(y)} of {units} values",
            "an activation inside a cell keeps the shape",
        )
    return CellActivation(name, inner.builder.finish({"y": y}), parameters)
