"""``.keras`` archives that Keras 2.12 to 2.15 (TensorFlow 2.12 to 2.15) wrote.

Keras 3 accepts the same suffix and reads most of these files wrongly or not at all. The weights
lie in ``model.weights.h5`` by position: a layer's group is called after its class, in snake case
and numbered within its model, and its variables are numbered.
"""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from edgenn.errors import EdgennError, ModelFileError, UnsupportedError
from edgenn.frontend.loading.legacy_json import decode
from edgenn.frontend.loading.legacy_layer import LegacyLayer
from edgenn.frontend.loading.legacy_layers import LayerContext
from edgenn.frontend.loading.legacy_model import build_model
from edgenn.frontend.loading.legacy_weights import StoredLayer, StoredWeight, assign_weights
from edgenn.frontend.loading.loaded import LoadedModel
from edgenn.frontend.loading.reasons import reason

# Wrappers: the groups of their parts, in Keras 2's order.
_PARTS = {
    "Bidirectional": ("forward_layer", "backward_layer"),
    "RNN": ("cell",),
    "TimeDistributed": ("layer",),
}


def load_keras2_zip(
    path: Path, version: str, *, unsafe: bool, custom_objects: dict[str, Any]
) -> LoadedModel:
    """Read a ``.keras`` archive of Keras 2; see :func:`edgenn.frontend.loading.load_model`.

    Raises:
        ModelFileError: The archive is damaged.
        UnsupportedError: A layer that cannot be translated with certainty.
    """
    import h5py

    try:
        with zipfile.ZipFile(path) as archive:
            config = decode(archive.read("config.json"))
            weights = archive.read("model.weights.h5")
        context = LayerContext(str(path), unsafe, custom_objects)
        model = build_model(config["class_name"], config["config"], context)
        with h5py.File(io.BytesIO(weights), "r") as file:
            stored = _stored_layers(model.children, file["layers"], path)
        assign_weights(model, stored, str(path))
    except EdgennError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path} cannot be read: {reason(error)}", "the file is damaged; save it again"
        ) from error
    return LoadedModel(model.layer, "keras", version)


def _stored_layers(
    children: Iterable[LegacyLayer], groups: Any, path: Path
) -> tuple[StoredLayer, ...]:
    """The layers of one container, in its order, from the groups that it numbers by class."""
    used: Counter[str] = Counter()
    layers = []
    for child in children:
        number = used[child.class_name]
        used[child.class_name] += 1
        keys = [f"{key}_{number}" if number else key for key in _snake_case(child.class_name)]
        layers.append(_stored_layer(child, groups, next(filter(groups.get, keys), keys[0]), path))
    return tuple(layers)


def _stored_layer(layer: LegacyLayer, groups: Any, key: str, path: Path) -> StoredLayer:
    name = str(layer.name)
    if not layer.layer.weights:
        return StoredLayer(name)
    group = groups[key]
    if layer.class_name in _PARTS:
        parts = zip(layer.children, _PARTS[layer.class_name], strict=True)
        return StoredLayer(
            name, children=tuple(_stored_layer(part, group, key, path) for part, key in parts)
        )
    if layer.children:
        container = "cells" if layer.class_name == "StackedRNNCells" else "layers"
        return StoredLayer(name, children=_stored_layers(layer.children, group[container], path))
    holders = [entry for entry in (group, *_subgroups(group)) if len(entry.get("vars", ()))]
    if len(holders) != 1:
        raise UnsupportedError(
            f"{path}: layer '{name}' ({layer.class_name}) keeps its weights in several parts, "
            "which edgenn does not read from .keras files of Keras 2",
            "load the model in Keras 2 and save it as .h5",
        )
    variables = holders[0]["vars"]
    return StoredLayer(
        name,
        tuple(
            StoredWeight(variables[str(i)].name, np.asarray(variables[str(i)][()]))
            for i in range(len(variables))
        ),
    )


def _subgroups(group: Any) -> list[Any]:
    """The groups of a wrapper's layer or a recurrent layer's cell, however deep."""
    below = [group[key] for key in group if key != "vars" and hasattr(group[key], "keys")]
    return below + [deeper for entry in below for deeper in _subgroups(entry)]


def _snake_case(class_name: str) -> tuple[str, str]:
    """Keras's own rules: ``ConvLSTM2D`` → ``conv_lstm2d``; ``conv_lst_m2d`` in older versions."""
    spaced = (
        re.sub(rf"(.)([A-Z][{word}]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
        for word in ("a-z", "a-z0-9")
    )
    new, old = (re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower() for name in spaced)
    return new, old
