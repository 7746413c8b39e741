"""An ONNX model to bytes, without holding its weights a second time as protobuf objects.

Protobuf's wire format lets a message be written in pieces: the graph's structure comes from the
``onnx`` package, each constant's numbers go straight from its array into the result.
Field numbers: ``onnx.proto``; wire format: protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import onnx

from edgenn.errors import UnsupportedError
from edgenn.export.onnx.dtypes import ELEMENT_TYPES
from edgenn.ir.tensor import Array

LARGEST_FILE = 2**31 - 1
"""Protobuf reads no message of 2 GiB or more."""

LENGTH_DELIMITED = 2
MODEL_GRAPH = 7
GRAPH_INITIALIZER = 5
TENSOR_RAW_DATA = 9


def tag(field: int) -> bytes:
    """The key of a length-delimited field below 16."""
    return bytes([field << 3 | LENGTH_DELIMITED])


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    result = bytearray()
    while number >= 0x80:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    result.append(number)
    return bytes(result)


def tensor_head(name: str, data: Array) -> bytes:
    """A TensorProto up to its numbers."""
    tensor = onnx.TensorProto(
        name=name, dims=data.shape, data_type=ELEMENT_TYPES[data.dtype.name]
    ).SerializeToString()
    return bytes(tensor) + tag(TENSOR_RAW_DATA) + varint(data.nbytes)


def serialize(model: Any, graph: Any, constants: Sequence[tuple[str, Array]]) -> bytes:
    """The file's bytes.

    Args:
        model: ModelProto without its graph.
        graph: GraphProto without initializers.
        constants: The initializers, by name.

    Raises:
        UnsupportedError: The file would be larger than protobuf can read.
    """
    structure = graph.SerializeToString()
    entries = []
    for name, data in constants:
        head = tensor_head(name, data)
        entry = tag(GRAPH_INITIALIZER) + varint(len(head) + data.nbytes) + head
        entries.append((entry, data))
    length = len(structure) + sum(len(entry) + data.nbytes for entry, data in entries)
    if length > LARGEST_FILE:
        raise UnsupportedError(
            f"the ONNX file would take {length / 2**30:.1f} GiB, protobuf reads less than 2 GiB",
            hint="use a scheme with smaller weights: float16, dynamic or int8",
        )
    file = BytesIO()
    file.write(model.SerializeToString())
    file.write(tag(MODEL_GRAPH) + varint(length))
    file.write(structure)
    for entry, data in entries:
        file.write(entry)
        # little-endian, as the format demands; transposed weights are copied one at a time
        dense = np.ascontiguousarray(data, data.dtype.newbyteorder("<"))
        file.write(dense.reshape(-1).view(np.uint8).data)
    return file.getvalue()
