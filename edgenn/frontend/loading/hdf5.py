"""``.h5`` and ``.hdf5`` files of Keras 2 and 3."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from edgenn.errors import EdgennError, ModelFileError, UnavailableError, UnsupportedError
from edgenn.frontend.loading.keras_zip import load_with_keras
from edgenn.frontend.loading.legacy_json import decode
from edgenn.frontend.loading.legacy_layers import LayerContext
from edgenn.frontend.loading.legacy_model import build_model
from edgenn.frontend.loading.legacy_weights import StoredLayer, StoredWeight, assign_weights
from edgenn.frontend.loading.loaded import LoadedModel

_DAMAGED = "the file is damaged; copy or save it again"


def load_hdf5(path: Path, *, unsafe: bool, custom_objects: dict[str, Any]) -> LoadedModel:
    """Read a whole model from an HDF5 file; see :func:`edgenn.frontend.loading.load_model`.

    Raises:
        ModelFileError: The file is damaged, or holds weights without an architecture.
        UnsupportedError: A layer that cannot be translated, or a file of Keras 1.
        UnavailableError: h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise UnavailableError(
            f"{path}: HDF5 files need the package h5py", 'pip install "edgenn[convert]"'
        ) from error
    try:
        with h5py.File(path, "r") as file:
            config = _model_config(file, path)
            version = _text(file.attrs.get("keras_version", ""))
            if version.startswith("2."):
                _check_backend(_text(file.attrs.get("backend", "tensorflow")), path)
                context = LayerContext(str(path), unsafe, custom_objects)
                model = build_model(config["class_name"], config["config"], context)
                assign_weights(model, _stored_layers(file["model_weights"]), str(path))
                return LoadedModel(model.layer, "h5", version)
    except EdgennError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read as HDF5: {error}", _DAMAGED) from error
    if not version.startswith("3."):
        raise UnsupportedError(
            f"{path} was saved by Keras {version or '1'}, whose weights have another layout",
            "load it in Keras 2 and save it again",
        )
    return _load_keras_3(path, version, config, unsafe, custom_objects)


def _load_keras_3(
    path: Path, version: str, config: Any, unsafe: bool, custom_objects: dict[str, Any]
) -> LoadedModel:
    """Keras 3 reads its own files; it goes by the name, so a link gives it the name it wants."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "model.h5"
        link.symlink_to(path.resolve())
        model = load_with_keras(link, path, config, unsafe=unsafe, custom_objects=custom_objects)
    return LoadedModel(model, "h5", version)


def _model_config(file: Any, path: Path) -> dict[str, Any]:
    if "model_config" in file.attrs:
        try:
            config = decode(_text(file.attrs["model_config"]))
            if {"class_name", "config"} <= set(config):
                return dict(config)
        except (ValueError, TypeError):
            pass
        raise ModelFileError(f"{path}: the model's configuration is not whole", _DAMAGED)
    weights_only = (
        "layer_names" in file.attrs
        or "layer_names0" in file.attrs
        or "layers" in file
        or "_layer_checkpoint_dependencies" in file
        or "model_weights" in file
    )
    if weights_only:
        raise ModelFileError(
            f"{path} holds weights only, without the model's architecture",
            "build the model in Python, call model.load_weights on this file, and convert the "
            "model or what model.save('model.keras') writes",
        )
    raise ModelFileError(
        f"{path} is an HDF5 file, but not one of Keras",
        "save the model with model.save('model.keras')",
    )


def _check_backend(backend: str, path: Path) -> None:
    """Theano flips convolution kernels."""
    if backend != "tensorflow":
        raise UnsupportedError(
            f"{path} was trained with the {backend} backend, which stores convolutions otherwise",
            "load it in Keras 2 with the TensorFlow backend and save it again",
        )


def _stored_layers(group: Any) -> list[StoredLayer]:
    names = [_text(name) for name in _list_attribute(group, "layer_names")]
    layers = [_stored_layer(group, name) for name in names]
    if "top_level_model_weights" in group:
        layers.append(_stored_layer(group, "top_level_model_weights"))
    return layers


def _stored_layer(group: Any, name: str) -> StoredLayer:
    layer = group[name]
    paths = [_text(path) for path in _list_attribute(layer, "weight_names")]
    return StoredLayer(
        name, tuple(StoredWeight(path, np.asarray(layer[path][()])) for path in paths)
    )


def _list_attribute(group: Any, name: str) -> list[Any]:
    """A list, which Keras cuts in pieces ``name0``, ``name1``, … when it is long."""
    if name in group.attrs:
        return list(group.attrs[name])
    pieces: list[Any] = []
    while f"{name}{len(pieces)}" in group.attrs:
        pieces.append(group.attrs[f"{name}{len(pieces)}"])
    return [entry for piece in pieces for entry in piece]


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
