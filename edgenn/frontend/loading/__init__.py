"""A path on disk → a Keras 3 model with the right numbers, or a clear error.

What a file is decides how it is read, never its name:

- zip with ``config.json``: the ``.keras`` format (:mod:`.keras_zip`, :mod:`.keras2_zip`);
- HDF5: ``.h5`` and ``.hdf5`` (:mod:`.hdf5`);
- directory with ``saved_model.pb``: SavedModel of Keras 2 (:mod:`.saved_model`).

Files of Keras 2 are never given to Keras 3's own loader, which reads some of them with other
semantics and says nothing: the ``legacy_*`` modules translate their configuration and check
every weight by layer, name and shape.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgenn.errors import ModelFileError
from edgenn.frontend.loading.loaded import LoadedModel

__all__ = ["LoadedModel", "load_model"]

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FORMATS = "edgenn reads .keras, .h5/.hdf5 and Keras SavedModel directories"


def load_model(
    path: Path | str, *, unsafe: bool = False, custom_objects: Mapping[str, Any] | None = None
) -> LoadedModel:
    """Read a trained Keras model.

    Args:
        path: A ``.keras`` or ``.h5`` file or a SavedModel directory, of Keras 2 or 3.
        unsafe: Run Python byte code that the file holds (``Lambda`` layers). Off by default:
            byte code from a stranger can do anything on this machine.
        custom_objects: Class or function by the name that the file gives it.

    Returns:
        The model, not compiled, with the format and the Keras version that the file was saved in.

    Raises:
        ModelFileError: The file is missing, unreadable, damaged, or holds no whole Keras model.
        UnsupportedError: It holds a layer whose numbers cannot be reproduced for certain.
        UnavailableError: Keras or TensorFlow is not installed.
    """
    path = Path(path)
    objects = dict(custom_objects or {})
    head = _first_bytes(path)
    if head is None:
        return _load_directory(path, unsafe, objects)
    if head.startswith(_HDF5_SIGNATURE):
        from edgenn.frontend.loading.hdf5 import load_hdf5

        return load_hdf5(path, unsafe=unsafe, custom_objects=objects)
    if zipfile.is_zipfile(path):
        from edgenn.frontend.loading.keras_zip import load_keras_zip

        return load_keras_zip(path, unsafe=unsafe, custom_objects=objects)
    raise ModelFileError(f"{path} is not a Keras model{_guess(head)}", _FORMATS)


def _load_directory(path: Path, unsafe: bool, custom_objects: dict[str, Any]) -> LoadedModel:
    if not (path / "saved_model.pb").is_file():
        raise ModelFileError(
            f"{path} is a directory without saved_model.pb, so it is no SavedModel", _FORMATS
        )
    from edgenn.frontend.loading.saved_model import load_saved_model

    return load_saved_model(path, unsafe=unsafe, custom_objects=custom_objects)


def _first_bytes(path: Path) -> bytes | None:
    """The start of a file; ``None`` for a directory."""
    try:
        if path.is_dir():
            return None
        if path.exists() and not path.is_file():  # a pipe would wait for ever
            raise ModelFileError(f"{path} is neither a file nor a directory", _FORMATS)
        with path.open("rb") as file:
            return file.read(64)
    except FileNotFoundError:
        raise ModelFileError(f"{path} does not exist", "check the path") from None
    except PermissionError as error:
        raise ModelFileError(
            f"{path} may not be read: permission denied", "check its and its folders' permissions"
        ) from error
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}", "check the path") from error


def _guess(head: bytes) -> str:
    """What the file seems to be instead, for the message."""
    if not head:
        return ": it is empty"
    if head[4:8] == b"TFL3":
        return ": it is a TFLite file, which is what edgenn writes"
    if head.startswith(b"PK"):
        return ": it is a zip archive that is cut off"
    if head.startswith(b"version https://git-lfs"):
        return ": it is a Git LFS pointer; fetch the file itself with `git lfs pull`"
    return ""
