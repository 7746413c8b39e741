"""The schema's objects of a .tflite file, and its tensors as the graph has them."""

import struct
from typing import Any

import numpy as np

from edgenn.errors import ArtifactError, UnavailableError, UnsupportedError
from edgenn.inspection import builtin_names
from edgenn.ir.tensor import Array, Quantization, Shape, Tensor
from edgenn.runtime.tflite_file import DTYPES, parse_tflite


class File:
    """One file, checked.

    Attributes:
        content: Its border, as the runtime reads it.
        model: The schema's ``ModelT``.

    Raises:
        ArtifactError: Not a .tflite file, cut off, or with references that lead nowhere.
        UnavailableError: The schema is not installed.
    """

    def __init__(self, data: bytes, where: str) -> None:
        schema = load_schema()
        self.where = where
        self.data = data
        self.content = parse_tflite(data, where)  # the schema's own reader trusts every offset
        try:
            self.model = schema.ModelT.InitFromPackedBuf(bytearray(data), 0)
        except (AttributeError, LookupError, TypeError, ValueError, struct.error) as error:
            raise self.damaged(f"its structure cannot be followed: {error}") from error
        self._builtins = builtin_names()

    def subgraph(self, number: int) -> Any:
        if not 0 <= number < len(self.model.subgraphs):
            raise self.damaged(f"an op names subgraph {number} of {len(self.model.subgraphs)}")
        return self.model.subgraphs[number]

    def builtin(self, op: Any) -> str:
        """The name of an op's builtin, or of the custom op it is."""
        code = self.model.operatorCodes[op.opcodeIndex]
        if code.customCode:
            return text(code.customCode)
        # the 8-bit field is what files before schema 3a have; the larger one holds
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        return self._builtins.get(number, f"BUILTIN_{number}")

    def tensor(self, stored: Any, name: str) -> Tensor:
        """One tensor under the name that the graph has for it.

        Raises:
            ArtifactError: Its data or scales do not fit its shape.
            UnsupportedError: Its type is no array's, or its data are sparse.
        """
        dtype = DTYPES.get(stored.type)
        if dtype is None:
            raise UnsupportedError(f"{self.where}: {name!r} is of TFLite type {stored.type}")
        if stored.sparsity is not None:
            raise UnsupportedError(f"{self.where}: {name!r} is stored sparsely")
        shape = open_shape(stored)
        data = self.array(stored, name, dtype, shape)
        quantization = self.quantization(stored, name, shape) if dtype != "bool" else None
        return Tensor(name, shape, dtype, quantization, data)

    def array(self, stored: Any, name: str, dtype: str, shape: Shape) -> Array | None:
        """The numbers of a constant; ``None`` for what is computed."""
        content = self.buffer(stored.buffer)
        if content is None:
            return None
        try:
            numbers = np.frombuffer(content, dtype)
            return numbers.reshape([1 if size is None else size for size in shape])
        except ValueError as error:
            raise self.damaged(f"the data of {name!r} do not fit its shape: {error}") from error

    def buffer(self, number: int) -> bytes | None:
        """The bytes of a buffer; ``None`` where it holds none."""
        if not self.model.buffers:
            return None
        buffer = self.model.buffers[number]
        if buffer.offset > 1:  # kept behind the flatbuffer, in files over 2 GB
            return self.data[buffer.offset : buffer.offset + buffer.size]
        return bytes(buffer.data) if buffer.data is not None and len(buffer.data) else None

    def quantization(self, stored: Any, name: str, shape: Shape) -> Quantization | None:
        parameters = stored.quantization
        scales = np.array(listed(parameters and parameters.scale), np.float32)
        if not len(scales) or not scales.all():
            return None
        points = np.array(listed(parameters.zeroPoint) or [0] * len(scales), np.int64)
        if len(points) == 1:
            points = np.repeat(points, len(scales))
        if len(scales) == 1:
            return Quantization(scales, points)
        # some writers give biases, which have one axis, that of their kernels
        axis = int(parameters.quantizedDimension) if len(shape) > 1 else 0
        if len(points) != len(scales) or not (axis < len(shape) and shape[axis] == len(scales)):
            raise self.damaged(f"{len(scales)} scales do not fit {name!r} of shape {shape}")
        return Quantization(scales, points, axis)

    def damaged(self, problem: str) -> ArtifactError:
        return ArtifactError(f"{self.where} is damaged: {problem}", "convert or copy it again")


def load_schema() -> Any:
    """The module that LiteRT brings."""
    try:
        from ai_edge_litert import schema_py_generated
    except ModuleNotFoundError as error:
        raise UnavailableError(
            "the schema of .tflite files is not installed", "pip install ai-edge-litert"
        ) from error
    return schema_py_generated


def open_shape(stored: Any) -> Shape:
    """The sizes; ``None`` where open."""
    sizes = listed(stored.shapeSignature) or listed(stored.shape)
    return tuple(None if size < 0 else int(size) for size in sizes)


def listed(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
