"""Files of the writer with something in them changed that it would not write."""

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.serialization import serialize


def altered(content: bytes, change: Callable[[Any], None]) -> bytes:
    """The file after ``change`` had the schema's objects, a ``ModelT``."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    change(model)
    for buffer in model.buffers:
        buffer.data = None if buffer.data is None else np.asarray(buffer.data, np.uint8)
    return serialize(model)
