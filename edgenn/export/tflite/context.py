"""What emitters write into: the flatbuffer model under construction."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.versions import operator_version
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array, Quantization, Shape, Tensor

TENSOR_TYPES: dict[str, int] = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int16": schema.TensorType.INT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "bool": schema.TensorType.BOOL,
}


class File:
    """What the subgraphs of one model share: buffers and operator codes."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes = []
        self.model.buffers = [schema.BufferT()]  # buffer 0 means "no data"
        self.model.subgraphs = []
        self.builtin_versions: list[tuple[str, int]] = []
        self._buffers: dict[bytes, int] = {}
        self._codes: dict[tuple[int, int], int] = {}

    def buffer(self, data: Array) -> int:
        """The index of the buffer with these bytes; equal ones are written once."""
        content = np.ascontiguousarray(data).tobytes()
        if content not in self._buffers:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content, np.uint8)
            self.model.buffers.append(buffer)
            self._buffers[content] = len(self.model.buffers) - 1
        return self._buffers[content]

    def code(self, builtin: str, version: int) -> int:
        """The index of an operator code."""
        number: int = getattr(schema.BuiltinOperator, builtin)
        if (number, version) not in self._codes:
            code = schema.OperatorCodeT()
            code.builtinCode = number
            # readers older than schema 3a know the 8-bit field only; 127 sends them away
            code.deprecatedBuiltinCode = min(number, 127)
            code.version = version
            self.model.operatorCodes.append(code)
            self._codes[number, version] = len(self.model.operatorCodes) - 1
            self.builtin_versions.append((builtin, version))
        return self._codes[number, version]


class Context:
    """One subgraph of a TFLite model, filled op by op.

    Tensors are written when they are first named; equal constants share one buffer.

    Args:
        graph: What is written.
        name: Of the subgraph.
        file: The model that it is added to.

    Attributes:
        number: Of the subgraph in the model.
    """

    def __init__(self, graph: Graph, name: str = "main", file: File | None = None) -> None:
        self.graph = graph
        self.file = File() if file is None else file
        self.subgraph = schema.SubGraphT()
        self.subgraph.name = name
        self.subgraph.tensors = []
        self.subgraph.operators = []
        self.number = len(self.file.model.subgraphs)
        self.file.model.subgraphs.append(self.subgraph)
        self._indices: dict[str, int] = {}
        self._tensors: list[Tensor] = []

    @property
    def model(self) -> Any:
        """The schema's ``ModelT``."""
        return self.file.model

    @property
    def builtin_versions(self) -> list[tuple[str, int]]:
        """The builtins of the whole model."""
        return self.file.builtin_versions

    def tensor(self, name: str) -> Tensor:
        return self.graph.tensors[name]

    def index(self, name: str) -> int:
        """The index of a tensor of the graph."""
        if name not in self._indices:
            self._indices[name] = self.add_tensor(self.graph.tensors[name])
        return self._indices[name]

    def bind(self, name: str, index: int) -> None:
        """Lets a tensor of the graph be one that is written already."""
        self._indices[name] = index

    def written(self, index: int) -> Tensor:
        """What was written under an index."""
        return self._tensors[index]

    def indices(self, names: tuple[str, ...]) -> list[int]:
        return [self.index(name) for name in names]

    def constant(self, name: str, data: Array) -> int:
        """A constant that the format needs and the graph keeps as an attribute."""
        key = f"{data.dtype}{data.shape}{data.tobytes().hex()}" if data.size < 64 else name
        if key not in self._indices:
            self._indices[key] = self.add_tensor(Tensor.constant(name, data))
        return self._indices[key]

    def temporary(
        self, name: str, shape: Shape, dtype: str, quantization: Quantization | None = None
    ) -> int:
        """A value between two builtin ops that the graph does not know."""
        return self.add_tensor(Tensor(name, shape, dtype, quantization))

    def add_tensor(self, tensor: Tensor) -> int:
        written = schema.TensorT()
        written.name = tensor.name
        written.shape = [1 if size is None else size for size in tensor.shape]
        if None in tensor.shape:
            written.shapeSignature = [-1 if size is None else size for size in tensor.shape]
        written.hasRank = True
        written.type = TENSOR_TYPES[tensor.dtype]
        written.buffer = 0 if tensor.data is None else self.file.buffer(tensor.data)
        if tensor.quantization is not None:
            written.quantization = quantization_parameters(tensor.quantization)
        self.subgraph.tensors.append(written)
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def emit(
        self, builtin: str, inputs: list[int], outputs: list[int], options: Any = None
    ) -> None:
        """Writes one builtin op.

        Args:
            builtin: The name in ``BuiltinOperator``, e.g. ``CONV_2D``.
            inputs: Tensor indices; -1 for an optional input that is absent.
            options: The options table (an object of the schema's ``…OptionsT``), if any.
        """
        types = [None if i < 0 else self._tensors[i] for i in inputs]
        version = operator_version(builtin, types, [self._tensors[i] for i in outputs], options)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.file.code(builtin, version)
        operator.inputs = inputs
        operator.outputs = outputs
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            operator.builtinOptions = options
        self.subgraph.operators.append(operator)


def quantization_parameters(quantization: Quantization) -> Any:
    parameters = schema.QuantizationParametersT()
    parameters.scale = quantization.scale
    parameters.zeroPoint = quantization.zero_point
    parameters.quantizedDimension = quantization.axis or 0
    return parameters
