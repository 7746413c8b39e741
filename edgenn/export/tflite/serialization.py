"""A TFLite model object to bytes.

The object API of the schema does not honour ``force_align: 16`` of buffers in Python, yet
kernels load weights with aligned instructions straight from the file; buffers are therefore
written by hand. The builder is given its final size at once, so that it never copies itself.
"""

from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

BUFFER_ALIGNMENT = 16
STRUCTURE_BYTES = 1 << 20
"""Room for everything that is not weights; the builder doubles where it does not suffice."""


class _AlignedBuffer:
    """Stands in for ``BufferT`` while packing."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def Pack(self, builder: Any) -> int:  # noqa: N802 - the schema's name
        vector = None
        if self.data is not None:
            size = len(self.data)
            builder.StartVector(1, size, BUFFER_ALIGNMENT)
            builder.head -= size
            builder.Bytes[builder.head : builder.head + size] = self.data.tobytes()
            vector = builder.EndVector()
        schema.BufferStart(builder)
        if vector is not None:
            schema.BufferAddData(builder, vector)
        return int(schema.BufferEnd(builder))


def serialize(model: Any) -> bytes:
    """The file's bytes; ``model`` is the schema's ``ModelT``."""
    weights = sum(len(b.data) + BUFFER_ALIGNMENT for b in model.buffers if b.data is not None)
    builder = flatbuffers.Builder(weights + STRUCTURE_BYTES)
    plain = model.buffers
    model.buffers = [_AlignedBuffer(buffer.data) for buffer in plain]
    try:
        builder.Finish(model.Pack(builder), b"TFL3")
    finally:
        model.buffers = plain
    return bytes(builder.Output())
