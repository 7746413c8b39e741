"""Metadata buffers that readers of a .tflite look for."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.context import Context
from edgenn.export.tflite.runtime_versions import minimum_runtime

MIN_RUNTIME_VERSION = "min_runtime_version"
MIN_RUNTIME_BYTES = 16


def add_metadata(context: Context) -> None:
    """Writes the oldest runtime that has every op, as the stock converter does: zero padded."""
    release = minimum_runtime(context.builtin_versions).encode()
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(release.ljust(MIN_RUNTIME_BYTES, b"\0"), np.uint8)
    context.model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = MIN_RUNTIME_VERSION
    entry.buffer = len(context.model.buffers) - 1
    context.model.metadata = [entry]
