"""Metadata buffers that readers of a .tflite look for."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.context import Context
from edgenn.export.tflite.runtime_versions import minimum_runtime
from edgenn.ir.stepping import step_of
from edgenn.runtime.step_info import METADATA_KEY

MIN_RUNTIME_VERSION = "min_runtime_version"
MIN_RUNTIME_BYTES = 16


def add_metadata(context: Context) -> None:
    """Writes what the file says about itself.

    The oldest runtime that has every op, as the stock converter does: zero padded. Of a graph
    that runs one step also its states, as JSON.
    """
    release = minimum_runtime(context.builtin_versions).encode()
    context.model.metadata = []
    add_entry(context, MIN_RUNTIME_VERSION, release.ljust(MIN_RUNTIME_BYTES, b"\0"))
    info = step_of(context.graph)
    if info is not None:
        add_entry(context, METADATA_KEY, info.to_json().encode())


def add_entry(context: Context, name: str, content: bytes) -> None:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    context.model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = name
    entry.buffer = len(context.model.buffers) - 1
    context.model.metadata.append(entry)
