"""What a runner and its child process say to each other over pipes.

A message is a length, a JSON header of that length, and the arrays that the header lists, one
after the other in C order. No pickle: a child that went wrong cannot make its parent run code.
"""

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from edgenn.runtime.tensor_info import Array

_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Message:
    """Plain values and arrays by name."""

    values: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


def own_answers() -> IO[bytes]:
    """Where a child process writes messages: what was its stdout.

    Native libraries print to stdout as they like: from here on that goes to stderr.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def write_message(stream: IO[bytes], message: Message) -> None:
    arrays = {name: np.ascontiguousarray(array) for name, array in message.arrays.items()}
    described = [
        {"name": name, "dtype": array.dtype.str, "shape": np.shape(message.arrays[name])}
        for name, array in arrays.items()
    ]
    header = json.dumps({"values": message.values, "arrays": described}).encode()
    stream.write(_LENGTH.pack(len(header)) + header)
    for array in arrays.values():
        stream.write(array.data)
    stream.flush()


def read_message(stream: IO[bytes]) -> Message | None:
    """The next message; ``None`` when the other side has ended.

    Raises:
        EOFError: The other side ended within a message.
    """
    start = stream.read(_LENGTH.size)
    if not start:
        return None
    if len(start) < _LENGTH.size:
        raise EOFError
    header = json.loads(_read_exactly(stream, _LENGTH.unpack(start)[0]))
    arrays: dict[str, Array] = {}
    for entry in header["arrays"]:
        array = np.empty(entry["shape"], np.dtype(entry["dtype"]))
        array.reshape(-1).view(np.uint8)[:] = np.frombuffer(
            _read_exactly(stream, array.nbytes), np.uint8
        )
        arrays[entry["name"]] = array
    return Message(header["values"], arrays)


def _read_exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content
