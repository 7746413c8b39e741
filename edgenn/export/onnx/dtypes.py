"""Words of the graph in numbers of the format."""

import onnx

from edgenn.ir.tensor import Tensor

ELEMENT_TYPES: dict[str, int] = {
    "float32": onnx.TensorProto.FLOAT,
    "float16": onnx.TensorProto.FLOAT16,
    "float64": onnx.TensorProto.DOUBLE,
    "int8": onnx.TensorProto.INT8,
    "uint8": onnx.TensorProto.UINT8,
    "int16": onnx.TensorProto.INT16,
    "uint16": onnx.TensorProto.UINT16,
    "int32": onnx.TensorProto.INT32,
    "uint32": onnx.TensorProto.UINT32,
    "int64": onnx.TensorProto.INT64,
    "uint64": onnx.TensorProto.UINT64,
    "bool": onnx.TensorProto.BOOL,
}


def value_dtype(tensor: Tensor) -> str:
    """The dtype of a tensor's value in the file: quantised ones are real numbers there."""
    return "float32" if tensor.quantization is not None else tensor.dtype
