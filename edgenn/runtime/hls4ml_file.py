"""Reads .hls4ml files: a network as hls4ml's own list of layers, in fixed point.

A zip holds ``model.json`` and the weights as ``weights/LAYER/ATTRIBUTE.npy``. What stands in a
file ends in C++ that is compiled and run: names and types are held to an alphabet in which no
statement can be written.
"""

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from edgenn.errors import ArtifactError
from edgenn.runtime.tensor_info import Array, TensorInfo

SUFFIX: Final = ".hls4ml"
MODEL: Final = "model.json"
WEIGHTS: Final = "weights"

HARMLESS: Final = re.compile(r"[A-Za-z0-9_]*(<[0-9]+(,-?[0-9]+(,AP_RND,AP_SAT)?)?>)?", re.ASCII)
"""Words of hls4ml and its types."""

UNCHECKED: Final = frozenset({"path"})
"""What only people read."""


@dataclass(frozen=True)
class Hls4mlPort:
    """An input or output, and the layer that stands for it."""

    info: TensorInfo
    layer: str


@dataclass(frozen=True)
class Hls4mlFile:
    """What a file holds.

    Attributes:
        layers: ``class_name``, ``name``, ``path`` (the Keras layer's), ``inputs`` (names of
            layers), ``attributes`` (with their arrays), ``precision`` and ``settings``.
    """

    name: str
    inputs: tuple[Hls4mlPort, ...]
    outputs: tuple[Hls4mlPort, ...]
    layers: tuple[Mapping[str, Any], ...]


def read_hls4ml(path: Path) -> Hls4mlFile:
    """Reads and checks a file.

    Raises:
        ArtifactError: It is damaged, or no .hls4ml.
    """
    try:
        with zipfile.ZipFile(path) as file:
            model = json.loads(file.read(MODEL))
            if model["version"] != 1:
                raise ArtifactError(
                    f"{path}: version {model['version']} of the format is not known",
                    "convert the model again",
                )
            layers = tuple(_layer(file, entry) for entry in model["layers"])
            return Hls4mlFile(
                str(model["name"]),
                tuple(map(_port, model["inputs"])),
                tuple(map(_port, model["outputs"])),
                layers,
            )
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise ArtifactError(f"{path} is no .hls4ml file, or damaged: {error}") from error


def _port(entry: Mapping[str, Any]) -> Hls4mlPort:
    _require_harmless(entry["layer"])
    info = TensorInfo(str(entry["name"]), tuple(entry["shape"]), str(entry["dtype"]))
    return Hls4mlPort(info, entry["layer"])


def _layer(file: zipfile.ZipFile, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    for key, value in entry.items():
        if key not in UNCHECKED:
            _require_harmless(value)
    arrays = {
        key: _array(file.read(f"{WEIGHTS}/{entry['name']}/{key}.npy")) for key in entry["weights"]
    }
    return {**entry, "attributes": {**entry["attributes"], **arrays}}


def _array(content: bytes) -> Array:
    array: Array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError("weights that are no numbers")
    return array.astype(np.float64)


def _require_harmless(value: Any) -> None:
    """Raises ValueError for text that could be more than a name or a type."""
    if isinstance(value, str):
        if not HARMLESS.fullmatch(value):
            raise ValueError(f"{value!r} is neither a name nor a type")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _require_harmless(key)
            _require_harmless(item)
    elif isinstance(value, list):
        for item in value:
            _require_harmless(item)
    elif isinstance(value, float) and not np.isfinite(value):
        raise ValueError(f"{value} is no number")
