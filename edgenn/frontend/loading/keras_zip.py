"""The ``.keras`` format, and Keras 3's own loader with its errors made clear."""

import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from edgenn.errors import ModelFileError, UnsupportedError
from edgenn.frontend.keras_import import keras
from edgenn.frontend.loading.keras2_zip import load_keras2_zip
from edgenn.frontend.loading.loaded import LoadedModel
from edgenn.frontend.loading.reasons import UNKNOWN_CODE_HINT, reason

_DAMAGED = "the file is damaged; copy or save it again"


def load_keras_zip(path: Path, *, unsafe: bool, custom_objects: dict[str, Any]) -> LoadedModel:
    """Read a ``.keras`` archive; see :func:`edgenn.frontend.loading.load_model`.

    Raises:
        ModelFileError: The archive is damaged or is not one of Keras.
        UnsupportedError: An unknown class, or byte code without ``unsafe``.
    """
    version, config = _version_and_config(path)
    if version.startswith("2."):
        return load_keras2_zip(path, version, unsafe=unsafe, custom_objects=custom_objects)
    if not version.startswith("3."):
        raise ModelFileError(f"{path} was saved by Keras {version}, which is not known", _DAMAGED)
    with tempfile.TemporaryDirectory() as folder:  # Keras goes by the name
        link = Path(folder) / "model.keras"
        link.symlink_to(path.resolve())
        model = load_with_keras(link, path, config, unsafe=unsafe, custom_objects=custom_objects)
    return LoadedModel(model, "keras", version)


def _version_and_config(path: Path) -> tuple[str, Any]:
    """Keras's version and the model's configuration, once every member has passed its checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            if damaged is not None:
                raise ModelFileError(f"{path}: '{damaged}' in it is damaged", _DAMAGED)
            if "config.json" not in archive.namelist():
                raise ModelFileError(
                    f"{path} is a zip archive, but not one of Keras: it has no config.json",
                    "save the model with model.save('model.keras')",
                )
            metadata = json.loads(archive.read("metadata.json"))
            return str(metadata["keras_version"]), json.loads(archive.read("config.json"))
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{path} cannot be read: {error}", _DAMAGED) from error


def load_with_keras(
    path: Path, shown: Path, config: Any, *, unsafe: bool, custom_objects: dict[str, Any]
) -> Any:
    """Let Keras 3 read a file that Keras 3 wrote.

    Args:
        path: Where the file is, under a name that Keras accepts.
        shown: The user's path, for messages.
        config: The model's configuration, for messages.
        unsafe: Byte code may run.
        custom_objects: The user's classes and functions by name.

    Raises:
        ModelFileError: Keras cannot read it.
        UnsupportedError: An unknown class, or byte code without ``unsafe``.
    """
    try:
        return keras.saving.load_model(
            path, custom_objects=custom_objects, compile=False, safe_mode=not unsafe
        )
    except Exception as error:  # Keras raises many kinds
        raise _clear_error(error, shown, config) from error


def _clear_error(error: Exception, shown: Path, config: Any) -> ModelFileError | UnsupportedError:
    message = str(error)
    unknown = re.search(r"Could not locate (?:class|function) '([^']+)'", message) or re.search(
        r"Unknown (?:layer|object|\w+)?:? *'?([\w>]+)'?\. Please ensure", message
    )
    if unknown:
        name = unknown.group(1)
        return UnsupportedError(
            f"{shown}: the class or function '{name}' is not known",
            UNKNOWN_CODE_HINT,
        )
    if "safe_mode" in message or "unsafe deserialization" in message:
        return UnsupportedError(
            f"{shown} holds Python byte code ({', '.join(_byte_code(config)) or 'Lambda'}), which "
            "is not run unless you say so",
            "replace the Lambda by a layer class, or allow it with --unsafe (unsafe=True) "
            "if you trust the file's author",
        )
    if "bad marshal data" in message:
        return ModelFileError(
            f"{shown}: its Lambda byte code was written by another Python version",
            "replace the Lambda by a layer class in the source and save the model again",
        )
    return ModelFileError(f"{shown}: Keras cannot read it: {reason(error)}", "save the model again")


def _byte_code(config: Any) -> list[str]:
    """The layers that hold some, wherever they are nested: ``Lambda 'double'``."""
    found = []
    if isinstance(config, dict):
        inner = config.get("config")
        if config.get("class_name") == "Lambda" and isinstance(inner, dict):
            found.append(f"Lambda '{inner.get('name')}'")
        config = list(config.values())
    if isinstance(config, list):
        for entry in config:
            found += _byte_code(entry)
    return found
