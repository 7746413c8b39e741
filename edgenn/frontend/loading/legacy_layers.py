"""One layer's Keras 2 configuration → a Keras 3 layer that computes the same.

A class that is not listed in :mod:`.legacy_rules` or below is refused rather than tried: Keras 3
accepts some old configurations and computes something else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgenn.errors import EdgennError, UnsupportedError
from edgenn.frontend.keras_import import keras
from edgenn.frontend.loading.legacy_activations import activation_named
from edgenn.frontend.loading.legacy_lambda import lambda_layer
from edgenn.frontend.loading.legacy_rules import LAYERS, Config
from edgenn.frontend.loading.reasons import UNKNOWN_CODE_HINT, reason


@dataclass(frozen=True)
class LayerContext:
    """What a layer's translation may need beside its configuration.

    Attributes:
        file: For messages.
        unsafe: Byte code may run.
        custom_objects: The user's classes and functions by name.
    """

    file: str
    unsafe: bool = False
    custom_objects: Mapping[str, Any] = field(default_factory=dict)

    def where(self, name: str, class_name: str) -> str:
        return f"{self.file}: layer '{name}' ({class_name})"


# At inference these give their input as floats: a Rescaling by one does the same.
_AUGMENTATIONS = frozenset(
    {
        "RandomBrightness",
        "RandomContrast",
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
    }
)
_TRAINING_SUFFIXES = ("_initializer", "_regularizer", "_constraint")
_TRAINING_KEYS = frozenset({"trainable", "batch_input_shape", "build_input_shape"})
_ACTIVATION_KEYS = ("activation", "recurrent_activation")
_KERAS_2_ONLY = frozenset(
    {
        "DenseFeatures",
        "LocallyConnected1D",
        "LocallyConnected2D",
        "TensorFlowOpLayer",
        "ThresholdedReLU",
    }
)


def build_layer(class_name: str, config: Config, context: LayerContext) -> Any:
    """The Keras 3 layer for one Keras 2 layer that is no model.

    Args:
        class_name: As the file gives it.
        config: The layer's own configuration; not changed.
        context: The file, and what the user allows and passes.

    Raises:
        UnsupportedError: The layer cannot be had with certainly the same numbers.
    """
    where = context.where(config.get("name", "?"), class_name)
    custom = context.custom_objects.get(class_name) or keras.saving.get_registered_object(
        class_name
    )
    try:
        if custom is not None:
            return custom.from_config({**config, "dtype": _dtype(config.get("dtype"))})
        if class_name == "InputLayer":
            return _input_layer(config)
        if class_name in ("TimeDistributed", "Bidirectional"):
            return _wrapper(class_name, config, context)
        if class_name == "Lambda":
            return lambda_layer(config, context.unsafe, context.custom_objects, where)
        if class_name in _AUGMENTATIONS:
            return keras.layers.Rescaling(1.0, name=config["name"])
        if class_name in LAYERS:
            return _listed(class_name, config, context, where)
    except EdgennError:
        raise
    except Exception as error:
        raise UnsupportedError(
            f"{where} cannot be built in Keras 3: {reason(error)}",
            "load it in the Keras that saved it and save it as .keras from Keras 3",
        ) from error
    raise _unknown(class_name, where)


def _listed(class_name: str, config: Config, context: LayerContext, where: str) -> Any:
    new_name, rules = LAYERS[class_name]
    new = {
        key: value
        for key, value in config.items()
        if key not in _TRAINING_KEYS and not key.endswith(_TRAINING_SUFFIXES)
    }
    for rule in rules:
        rule(new)
    if "cell" in new:
        new["cell"] = _described(new["cell"], context)
    if "cells" in new:
        new["cells"] = [_described(cell, context) for cell in new["cells"]]
    for key in _ACTIVATION_KEYS:
        if new.get(key) is not None:
            new[key] = _activation(new[key], context, where)
    new["dtype"] = _dtype(new.get("dtype"))
    return getattr(keras.layers, new_name)(**new)


def _activation(value: Any, context: LayerContext, where: str) -> Any:
    """A function's name, a function as an object of the file, or a layer used as one."""
    if isinstance(value, str):
        return activation_named(value, context.custom_objects, where)
    if isinstance(value, Mapping) and "class_name" in value:
        inner = value.get("config")
        if value["class_name"] == "function" and isinstance(inner, str):
            return activation_named(inner, context.custom_objects, where)
        if isinstance(inner, Mapping):
            return build_layer(value["class_name"], dict(inner), context)
    raise UnsupportedError(f"{where}: the activation {value!r} cannot be read")


def _wrapper(class_name: str, config: Config, context: LayerContext) -> Any:
    """``TimeDistributed`` and ``Bidirectional``, whose configuration holds other layers."""
    layer = _described(config["layer"], context)
    common = {"name": config["name"], "dtype": _dtype(config.get("dtype"))}
    if class_name == "TimeDistributed":
        return keras.layers.TimeDistributed(layer, **common)
    backward = config.get("backward_layer")
    return keras.layers.Bidirectional(
        layer,
        merge_mode=config["merge_mode"],
        backward_layer=_described(backward, context) if backward else None,
        **common,
    )


def _described(entry: Mapping[str, Any], context: LayerContext) -> Any:
    """A layer or cell that stands inside another one's configuration."""
    return build_layer(entry["class_name"], entry["config"], context)


def _input_layer(config: Config) -> Any:
    for key in ("sparse", "ragged"):
        if config.get(key):
            raise ValueError(f"{key} inputs have no equal in Keras 3")
    return keras.layers.InputLayer(
        batch_shape=tuple(config["batch_input_shape"]),
        dtype=_dtype(config.get("dtype")),
        name=config["name"],
    )


def _dtype(value: Any) -> str | None:
    """The dtype or the name of the mixed-precision policy."""
    if isinstance(value, Mapping):
        value = value["config"]["name"]
    return None if value is None else str(value)


def _unknown(class_name: str, where: str) -> UnsupportedError:
    if class_name in _KERAS_2_ONLY or hasattr(keras.layers, class_name):
        return UnsupportedError(
            f"{where}: edgenn does not translate this layer of Keras 2",
            "replace it in the model by layers that Keras 3 has, and save it again",
        )
    return UnsupportedError(
        f"{where}: the class '{class_name}' is not known",
        f"port it to Keras 3; {UNKNOWN_CODE_HINT}",
    )
