"""The bytes of an ``.hls4ml`` file: a zip of ``model.json`` and one ``.npy`` for each array."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from edgenn.ir.tensor import Array
from edgenn.runtime.hls4ml_file import MODEL, WEIGHTS

DATE: Final = (1980, 1, 1, 0, 0, 0)
"""Of every entry: the same model gives the same bytes."""


def serialize(model: Mapping[str, Any], weights: Mapping[str, Array]) -> bytes:
    """Not compressed: weights are stored in as many bits as the smallest dtype that holds them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        write(file, MODEL, json.dumps(model, indent=1).encode())
        for name, array in weights.items():
            write(file, f"{WEIGHTS}/{name}.npy", npy(array))
    return buffer.getvalue()


def write(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    file.writestr(info, content)


def npy(array: Array) -> bytes:
    """In float32 where that holds every number, as it does up to 24 bits."""
    narrow = array.astype(np.float32)
    buffer = io.BytesIO()
    exact = narrow if np.array_equal(narrow, array) else array
    np.lib.format.write_array(buffer, np.ascontiguousarray(exact), allow_pickle=False)
    return buffer.getvalue()
