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
from edgenn.frontend.loading.legacy_layers import LayerContext
from edgenn.frontend.loading.legacy_model import LegacyLayer, build_model
from edgenn.frontend.loading.legacy_weights import StoredLayer, StoredWeight, assign_weights
from edgenn.frontend.loading.loaded import LoadedModel
from edgenn.frontend.loading.reasons import reason


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
            stored = _stored_layers(model.children, file, path)
        assign_weights(model, stored, str(path))
    except EdgennError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path} cannot be read: {reason(error)}", "the file is damaged; save it again"
        ) from error
    return LoadedModel(model.layer, "keras", version)


def _stored_layers(
    children: Iterable[LegacyLayer], group: Any, path: Path
) -> tuple[StoredLayer, ...]:
    """The layers of the model whose group this is, in the model's order."""
    used: Counter[str] = Counter()
    layers = []
    for child in children:
        key = _snake_case(child.class_name)
        used[key] += 1
        number = used[key] - 1
        layers.append(
            _stored_layer(child, group["layers"], f"{key}_{number}" if number else key, path)
        )
    return tuple(layers)


def _stored_layer(layer: LegacyLayer, groups: Any, key: str, path: Path) -> StoredLayer:
    name = str(layer.name)
    if not layer.layer.weights:
        return StoredLayer(name)
    group = groups[key]
    if layer.class_name == "TimeDistributed" and layer.children:
        (nested,) = layer.children
        return StoredLayer(name, children=(_stored_layer(nested, group, "layer", path),))
    if layer.children:
        return StoredLayer(name, children=_stored_layers(layer.children, group, path))
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


def _snake_case(class_name: str) -> str:
    """Keras's own rule: ``DepthwiseConv2D`` → ``depthwise_conv2d``."""
    spaced = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()
