"""Stored weights of Keras 2 → the variables of the translated model, each one checked.

Keras 2 stores a layer's weights as one list: the trainable ones first, then the others, where a
frozen layer has no trainable ones. Keras 3 orders some of them another way, so the order is made
again from the flags in the file; then each weight must have the right count, name and shape.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgenn.errors import ModelFileError
from edgenn.frontend.keras_import import keras
from edgenn.frontend.loading.legacy_cudnn import NAMES, from_cudnn, is_of_cudnn
from edgenn.frontend.loading.legacy_layer import LegacyLayer


@dataclass(frozen=True)
class StoredWeight:
    """One weight of a file: its path, such as ``conv2d/kernel:0``, and its value."""

    path: str
    value: npt.NDArray[Any]

    @property
    def name(self) -> str:
        """``kernel`` of ``conv2d/kernel_1:0``; a number where the format stores no names."""
        return re.sub(r"(_\d+)?(:\d+)?$", "", self.path.split("/")[-1])


@dataclass(frozen=True)
class StoredLayer:
    """A layer of a file with its weights in Keras 2's order, or, of a model, with its layers."""

    name: str
    weights: tuple[StoredWeight, ...] = ()
    children: "tuple[StoredLayer, ...]" = ()


@dataclass(frozen=True)
class _Variable:
    """A variable of the new model and the layer of the file that it belongs to."""

    owner: LegacyLayer
    variable: Any


# What Keras 3 calls a weight that Keras 2 called otherwise.
_NEW_NAMES = {("DepthwiseConv1D", "depthwise_kernel"): "kernel"}
_NEW_NAMES[("DepthwiseConv2D", "depthwise_kernel")] = "kernel"
# The state of a random generator: no part of inference.
_IGNORED_NAMES = frozenset({"StateVar"})


def assign_weights(model: LegacyLayer, stored: Sequence[StoredLayer], file: str) -> None:
    """Give every variable of the model its stored value.

    Args:
        model: The wired model.
        stored: All layers of the file, in the file's order.
        file: For messages.

    Raises:
        ModelFileError: A weight is missing or left over, or has another name or shape.
    """
    _assign_layers(model.children, stored, file)
    _finish(model)


def _assign_layers(
    children: Sequence[LegacyLayer], stored: Sequence[StoredLayer], file: str
) -> None:
    groups = [group for group in map(_without_ignored, stored) if group.weights or group.children]
    layers = [child for child in children if child.layer.weights]
    names = [layer.name for layer in layers]
    for layer, group in zip(layers, groups, strict=False):
        if layer.name is not None and layer.name != group.name:
            raise _mismatch(file, f"weights for '{layer.name}', found those of '{group.name}'")
    if len(layers) != len(groups):
        raise _mismatch(
            file,
            f"weights for {len(layers)} layers, found {len(groups)}; "
            f"{sorted(set(map(str, names)) ^ {group.name for group in groups})} differ",
        )
    for layer, group in zip(layers, groups, strict=True):
        if group.children:
            _assign_layers(layer.children, group.children, file)
        else:
            _assign_layer(layer, group, file)


def _without_ignored(layer: StoredLayer) -> StoredLayer:
    """The layer without the state of random generators and without layers of no weights."""
    weights = tuple(weight for weight in layer.weights if weight.name not in _IGNORED_NAMES)
    children = tuple(map(_without_ignored, layer.children))
    return StoredLayer(
        layer.name, weights, tuple(child for child in children if child.weights or child.children)
    )


def _assign_layer(layer: LegacyLayer, group: StoredLayer, file: str) -> None:
    trainable, others = _variables(layer)
    variables = trainable + others
    if len(variables) != len(group.weights):
        raise _mismatch(
            file, f"{len(variables)} weights in '{group.name}', found {len(group.weights)}"
        )
    owners = {str(variable.owner.name) for variable in variables}
    weights = _without_cudnn(variables, group.weights)
    for target, weight in zip(variables, weights, strict=True):
        _check(target, weight, owners, file)
        target.variable.assign(np.asarray(weight.value))


def _variables(layer: LegacyLayer) -> tuple[list[_Variable], list[_Variable]]:
    """The layer's variables as Keras 2 orders them: (trainable ones, others)."""
    if layer.children:
        parts = [_variables(child) for child in layer.children]
        if not layer.trainable:
            return [], [variable for part in parts for variable in part[0] + part[1]]
        trainable = [variable for part, _ in parts for variable in part]
        others = [variable for _, part in parts for variable in part]
        return trainable, others
    trainable = [_Variable(layer, v) for v in layer.layer.trainable_weights]
    others = [_Variable(layer, v) for v in layer.layer.non_trainable_weights]
    return (trainable, others) if layer.trainable else ([], trainable + others)


def _without_cudnn(
    variables: Sequence[_Variable], weights: Sequence[StoredWeight]
) -> list[StoredWeight]:
    """The weights with those that cuDNN's layers stored as Keras 3's layers want them."""
    result = list(weights)
    for start in range(len(result) - len(NAMES) + 1):
        span = slice(start, start + len(NAMES))
        targets, stored = variables[span], result[span]
        values = [weight.value for weight in stored]
        if (
            tuple(target.variable.name for target in targets) == NAMES
            and _is_of_keras(targets[0].owner.layer)
            and is_of_cudnn(*values)
        ):
            changed = from_cudnn(*values)
            result[span] = [replace(w, value=v) for w, v in zip(stored, changed, strict=True)]
    return result


def _check(target: _Variable, weight: StoredWeight, owners: set[str], file: str) -> None:
    """Shape, name, and in a nested model the layer that the weight's path speaks of."""
    owner, variable = target.owner, target.variable
    wanted = f"'{owner.name}/{variable.name}' of shape {tuple(variable.shape)}"
    found = f"'{weight.path}' of shape {weight.value.shape}"
    name = _NEW_NAMES.get((owner.class_name, weight.name), weight.name)
    of_another_layer = (owners & set(weight.path.split("/"))) - {str(owner.name)}
    named = not weight.name.isdigit() and _is_of_keras(owner.layer)
    if (
        tuple(variable.shape) != weight.value.shape
        or (named and name != variable.name)
        or (of_another_layer and str(owner.name) not in weight.path)
    ):
        raise _mismatch(file, f"{wanted}, found {found}")


def _is_of_keras(layer: Any) -> bool:
    """A class of Keras itself, whose names of weights are known; not one of the user's."""
    return type(layer).__module__.startswith("keras.")


def _finish(layer: LegacyLayer) -> None:
    """Normalization derives what it computes with from its weights, once they are there."""
    for child in layer.children:
        _finish(child)
    inner = layer.layer
    while isinstance(inner, keras.layers.Wrapper):
        inner = inner.layer
    if isinstance(inner, keras.layers.Normalization):
        inner.finalize_state()


def _mismatch(file: str, expected_found: str) -> ModelFileError:
    return ModelFileError(
        f"{file}: weights and model do not fit: expected {expected_found}",
        "the file is damaged or was changed by hand; save the model again",
    )
