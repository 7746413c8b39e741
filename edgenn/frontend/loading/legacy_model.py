"""The configuration of a Keras 2 model → a Keras 3 model, wired but without its weights.

Keras 3 reads old configurations too, but counts the calls of nested Sequential models another
way, knows no TensorFlow functions as layers, and takes the old list form for an error. So the
graph is wired here from the stored calls ("inbound nodes"): each names the layer's inputs as
``[layer, call, output, keywords]``.
"""

from collections.abc import Mapping
from typing import Any

from edgenn.errors import EdgennError, ModelFileError, UnsupportedError
from edgenn.frontend.keras_import import keras
from edgenn.frontend.loading.legacy_layer import LegacyLayer
from edgenn.frontend.loading.legacy_layers import LayerContext, build_layer
from edgenn.frontend.loading.legacy_ops import TensorFlowOp, function_named
from edgenn.frontend.loading.legacy_parts import parts_of
from edgenn.frontend.loading.legacy_references import (
    CONSTANT,
    all_references,
    bare,
    is_reference,
    references,
    single,
    structure,
)
from edgenn.frontend.loading.legacy_rules import Config
from edgenn.frontend.loading.reasons import reason

_MODEL_CLASSES = frozenset({"Functional", "Model", "Sequential"})
_OP_CLASSES = frozenset({"SlicingOpLambda", "TFOpLambda"})
_LISTS_OF_ONE = (
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.Concatenate,
    keras.layers.Maximum,
    keras.layers.Minimum,
    keras.layers.Multiply,
)
_RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)


def build_model(class_name: str, config: Any, context: LayerContext) -> LegacyLayer:
    """Wire the model that the file describes.

    Args:
        class_name: ``Sequential``, ``Functional`` or ``Model``.
        config: The value beside ``class_name``; a list in Keras before 2.2.3.
        context: The file, and what the user allows and passes.

    Raises:
        ModelFileError: The configuration is not whole.
        UnsupportedError: A layer that cannot be translated with certainty, or a subclass.
    """
    try:
        model = _build(class_name, config, None, context)
    except EdgennError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(
            f"{context.file}: the model's configuration cannot be understood: {error!r}",
            "the file may be damaged; save the model again",
        ) from error
    if not getattr(model.layer, "inputs", None):
        raise ModelFileError(
            f"{context.file}: the Sequential model does not say its input's shape",
            "put an Input(shape) first and save the model again",
        )
    return model


def _build(class_name: str, config: Any, name: str | None, context: LayerContext) -> LegacyLayer:
    if class_name not in _MODEL_CLASSES or not isinstance(config, list | dict):
        raise UnsupportedError(
            f"{context.file}: the model is of the class '{class_name}', whose Python code is not "
            "in the file",
            "save it as a functional or Sequential model",
        )
    if isinstance(config, list):  # Sequential before Keras 2.2.3
        config = {"name": name, "layers": config}
    if "input_layers" in config:
        layer, children = _Functional(config, context).build()
    else:
        layer, children = _sequential(config, context)
    return LegacyLayer(
        config.get("name") or name,
        class_name,
        layer,
        trainable=bool(config.get("trainable", True)),
        children=tuple(children),
    )


def _sequential(config: Config, context: LayerContext) -> tuple[Any, list[LegacyLayer]]:
    items = [_item(entry, context) for entry in config["layers"]]
    layers = [item.layer for item in items]
    if layers and not isinstance(layers[0], keras.layers.InputLayer):
        shape = _first_input_shape(config)
        if shape is not None:
            name = f"{layers[0].name}_input"  # as Keras 2 called it
            layers.insert(0, keras.layers.InputLayer(batch_shape=tuple(shape), name=name))
    return keras.Sequential(layers, name=_name(config.get("name"))), items


def _first_input_shape(config: Any) -> Any:
    """The batch shape that a Sequential model's first layer was given, if it was."""
    if isinstance(config, list):
        config = {"layers": config}
    if config.get("build_input_shape"):
        return config["build_input_shape"]
    first = config["layers"][0]["config"]
    if isinstance(first, list) or "layers" in first:
        return None if "input_layers" in first else _first_input_shape(first)
    return first.get("batch_input_shape")


def _item(entry: Mapping[str, Any], context: LayerContext) -> LegacyLayer:
    """One entry of a model's list of layers; TensorFlow functions are wired elsewhere."""
    class_name, config = entry["class_name"], entry["config"]
    if class_name in _MODEL_CLASSES:
        return _build(class_name, config, entry.get("name"), context)
    trainable = bool(config.get("trainable", True))
    name = config.get("name") or entry.get("name")
    new_config = {**config, "name": _name(name)}
    inner = config.get("layer") if class_name == "TimeDistributed" else None
    if inner is not None and inner["class_name"] in _MODEL_CLASSES:
        nested = _item(inner, context)
        wrapper = keras.layers.TimeDistributed(nested.layer, name=new_config["name"])
        return LegacyLayer(name, class_name, wrapper, trainable, (nested,))
    layer = build_layer(class_name, new_config, context)
    return LegacyLayer(name, class_name, layer, trainable, parts_of(class_name, config, layer))


def _name(name: str | None) -> str | None:
    """Keras 3 allows no slash in a layer's name; Keras 2 did (MobileNetV3)."""
    return name and name.replace("/", "_")


class _Functional:
    """Wires one functional configuration."""

    def __init__(self, config: Config, context: LayerContext) -> None:
        self._config = config
        self._context = context
        self._items: dict[str, LegacyLayer] = {}
        self._calls: dict[str, int] = {}
        self._outputs: dict[tuple[str, int], list[Any]] = {}

    def build(self) -> tuple[Any, list[LegacyLayer]]:
        entries = {entry["name"]: entry for entry in self._config["layers"]}
        for name, entry in entries.items():
            if entry["class_name"] in _OP_CLASSES:
                self._check_op(entry)
                continue
            self._items[name] = _item(entry, self._context)
        for name, entry in entries.items():
            self._calls[name] = max(1, len(entry["inbound_nodes"]))
            if entry["class_name"] == "InputLayer":
                self._outputs[name, 0] = [self._items[name].layer.output]
        self._wire(entries)
        model = keras.Model(
            inputs=single(structure(self._config["input_layers"], self._tensor)),
            outputs=single(structure(self._config["output_layers"], self._tensor)),
            name=_name(self._config.get("name")),
        )
        return model, list(self._items.values())

    def _wire(self, entries: Mapping[str, Mapping[str, Any]]) -> None:
        """Make every stored call, each as soon as its inputs are there."""
        waiting = {name: list(entry["inbound_nodes"]) for name, entry in entries.items()}
        waiting = {name: calls for name, calls in waiting.items() if calls}
        done = dict.fromkeys(waiting, 0)
        while waiting:
            before = sum(len(calls) for calls in waiting.values())
            for name in list(waiting):
                while waiting[name] and self._ready(waiting[name][0]):
                    call = waiting[name].pop(0)
                    self._outputs[name, done[name]] = self._call(entries[name], call)
                    done[name] += 1
                if not waiting[name]:
                    del waiting[name]
            if sum(len(calls) for calls in waiting.values()) == before:
                raise ModelFileError(
                    f"{self._context.file}: the inputs of the layers {sorted(waiting)} are "
                    "missing from the model's configuration",
                    "the file may be damaged; save the model again",
                )

    def _ready(self, call: Any) -> bool:
        return all(self._key(ref) in self._outputs for ref in references(call, self._calls))

    def _key(self, reference: Any) -> tuple[str, int]:
        """The call that a reference means.

        Keras 2 counts the calls of a nested model from 1 if the model had its own inputs when it
        was saved, else from 0.
        """
        name, index = reference[0], reference[1]
        item = self._items.get(name)
        if item is None or not _is_model(item):
            return name, index
        if self._calls[name] == 1 and index in (0, 1):
            return name, 0
        return name, index - (1 if _has_inputs(item) else 0)

    def _tensor(self, reference: Any) -> Any:
        if reference[0] == CONSTANT:
            return reference[2]
        return self._outputs[self._key(reference)][reference[2]]

    def _call(self, entry: Mapping[str, Any], call: Any) -> list[Any]:
        """Call a layer (or TensorFlow function) on what the stored call names."""
        where = self._context.where(entry["name"], entry["class_name"])
        inputs = structure(call, self._tensor)
        first = next(all_references(call))
        keywords = self._keywords(first[3] if len(first) > 3 else {}, where)
        try:
            if entry["class_name"] in _OP_CLASSES:
                result = _call_op(entry, bare(call, inputs), keywords)
            else:
                layer = self._items[entry["name"]].layer
                result = _call_layer(layer, inputs, keywords)
        except EdgennError:
            raise
        except Exception as error:
            raise UnsupportedError(
                f"{where} cannot be called in Keras 3 as the file says: {reason(error)}",
                "load the model in the Keras that saved it and save it as .keras from Keras 3",
            ) from error
        return list(keras.tree.flatten(result))

    def _keywords(self, stored: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Keyword arguments with tensors for references; what says nothing is left out."""
        if stored.get("training"):
            raise UnsupportedError(
                f"{where} is called with training=True",
                "build the model for inference and save it again",
            )
        return {
            key: self._with_tensors(value)
            for key, value in stored.items()
            if value is not None and key not in ("name", "training")
        }

    def _with_tensors(self, value: Any) -> Any:
        if is_reference(value) and value[0] in self._calls:
            return self._tensor(value)
        if isinstance(value, dict):
            return {key: self._with_tensors(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self._with_tensors(entry) for entry in value]
        return value

    def _check_op(self, entry: Mapping[str, Any]) -> None:
        function = entry["config"]["function"]
        if function_named(function) is None:
            where = self._context.where(entry["name"], entry["class_name"])
            raise UnsupportedError(
                f"{where} calls tf.{function}, which edgenn does not translate",
                "write it with a Keras layer or keras.ops and save the model from Keras 3",
            )


def _call_layer(layer: Any, inputs: Any, keywords: dict[str, Any]) -> Any:
    if not isinstance(layer, _LISTS_OF_ONE):
        inputs = single(inputs)
    if isinstance(inputs, list) and isinstance(layer, _RECURRENT):
        return layer(inputs[0], initial_state=inputs[1:], **keywords)
    return layer(inputs, **keywords)


def _call_op(entry: Mapping[str, Any], argument: Any, keywords: dict[str, Any]) -> Any:
    """Wrap the call's static arguments in a layer and call it on the tensors among them."""
    tensors: list[Any] = []

    def placeholder(value: Any) -> Any:
        if isinstance(value, keras.KerasTensor):
            tensors.append(value)
            return {"tensor": len(tensors) - 1}
        if isinstance(value, dict):
            return {key: placeholder(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [placeholder(inner) for inner in value]
        return value

    layer = TensorFlowOp(
        function=entry["config"]["function"],
        arguments=[placeholder(argument)],
        keywords=placeholder(keywords),
        name=_name(entry["name"]),
    )
    return layer(tensors)


def _is_model(item: LegacyLayer) -> bool:
    return item.class_name in _MODEL_CLASSES


def _has_inputs(item: LegacyLayer) -> bool:
    if item.class_name != "Sequential":
        return True
    first = item.layer.layers and item.layer._layers[0]
    return isinstance(first, keras.layers.InputLayer)
