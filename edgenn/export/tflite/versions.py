"""The version number of each builtin op: the oldest one whose kernel does what is asked.

Source of the rules: LiteRT, ``tflite/converter/tools/versioning/op_version.cc``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edgenn.ir.tensor import Tensor

Rule = Callable[[Sequence[Tensor | None], Sequence[Tensor], Any], int]


def operator_version(
    builtin: str, inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any
) -> int:
    """The version for these operand types and options."""
    rule = RULES.get(builtin)
    return rule(inputs, outputs, options) if rule else 1


def dtype(tensors: Sequence[Tensor | None], index: int) -> str:
    tensor = tensors[index] if index < len(tensors) else None
    return tensor.dtype if tensor is not None else ""


def rank(tensors: Sequence[Tensor | None]) -> int:
    return max((tensor.rank for tensor in tensors if tensor is not None), default=0)


def is_hybrid(inputs: Sequence[Tensor | None]) -> bool:
    """Float activations with int8 weights."""
    return dtype(inputs, 0) == "float32" and dtype(inputs, 1) == "int8"


def is_per_channel(tensor: Tensor | None) -> bool:
    quantization = tensor.quantization if tensor is not None else None
    return quantization is not None and quantization.axis is not None


def by_dtype(versions: Mapping[str, int], operand: int = 0) -> Rule:
    """Versions that follow from the dtype of one input."""
    return lambda inputs, outputs, options: versions.get(dtype(inputs, operand), 1)


def conv_2d(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    x, kernel = inputs[:2]
    assert x is not None
    assert kernel is not None
    if None not in (x.shape[3], kernel.shape[3]) and x.shape[3] != kernel.shape[3]:
        return 6  # grouped
    if is_hybrid(inputs):
        return 5 if is_per_channel(kernel) else 2
    return {"int8": 3, "int16": 4}.get(x.dtype, 1)


def depthwise_conv_2d(
    inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any
) -> int:
    if is_hybrid(inputs):
        return 6 if is_per_channel(inputs[1]) else 4
    version = {"int8": 3, "int16": 5}.get(dtype(inputs, 0), 1)
    dilated = options.dilationWFactor != 1 or options.dilationHFactor != 1
    return max(version, 2) if dilated else version


def fully_connected(
    inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any
) -> int:
    if is_hybrid(inputs) and is_per_channel(inputs[1]):
        return 12
    if dtype(inputs, 0) == "int16":
        return 7
    if len(inputs) == 2 or inputs[2] is None:
        return 6
    if options.keepNumDims:
        return 5
    if dtype(inputs, 0) == "int8":
        return 4
    if is_hybrid(inputs):
        return 9 if options.asymmetricQuantizeInputs else 3
    return 1


def transpose_conv(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if options.fusedActivationFunction:
        return 4
    if len(inputs) == 4 and inputs[3] is not None:
        return 3
    return 2 if dtype(inputs, 1) == "int8" else 1


def mul(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    kind = dtype(inputs, 0)
    if kind == "int16":
        return 4
    if kind == "int64":
        return 5
    a, b = (t.quantization if t is not None else None for t in inputs[:2])
    out = outputs[0].quantization
    if a and b and out and float(a.scale[0]) * float(b.scale[0]) / float(out.scale[0]) >= 1:
        return 3
    return 2 if kind == "int8" else 1


def add(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if dtype(inputs, 0) == "int16":
        return 3 if not options.potScaleInt16 else 1
    return {"int64": 4, "int8": 2}.get(dtype(inputs, 0), 1)


def sub(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if dtype(inputs, 0) == "int16":
        return 5
    if dtype(inputs, 0) == "int64":
        return 4
    if rank(inputs) > 4 and _broadcasts(inputs):
        return 3
    return 2 if dtype(inputs, 0) == "int8" else 1


def div(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    return 2 if rank(inputs) > 4 and _broadcasts(inputs) else 1


def extremum(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if dtype(inputs, 0) == "int16":
        return 4
    if rank(inputs) > 4 and _broadcasts(inputs):
        return 3
    return 2 if dtype(inputs, 0) == "int8" else 1


def _broadcasts(inputs: Sequence[Tensor | None]) -> bool:
    return len({tensor.shape for tensor in inputs if tensor is not None}) > 1


def transpose(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if rank(inputs[:1]) > 5:
        return 6 if rank(inputs[:1]) == 6 else 8
    if dtype(inputs, 0) == "int16":
        return 5
    return 4 if rank(inputs[:1]) == 5 else {"bool": 3, "int8": 2}.get(dtype(inputs, 0), 1)


def slice_(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    return 5 if rank(inputs[:1]) > 4 else {"int16": 4, "int8": 2}.get(dtype(inputs, 0), 1)


def strided_slice(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if options.ellipsisMask or options.newAxisMask:
        return 6
    if rank(inputs[:1]) > 4:
        return 4
    return {"bool": 3, "int8": 2}.get(dtype(inputs, 0), 1)


def pad(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if dtype(inputs, 0) == "bool":
        return 5
    return 4 if rank(inputs[:1]) > 4 else {"int16": 3, "int8": 2}.get(dtype(inputs, 0), 1)


def resize(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if dtype(inputs, 0) == "int16":
        return 4
    if options.halfPixelCenters or options.alignCorners:
        return 3
    return 2 if dtype(inputs, 0) == "int8" else 1


def gather(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if options.batchDims:
        return 5
    return {"int8": 2, "bool": 3, "int16": 4}.get(dtype(inputs, 0), 1)


def dequantize(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if dtype(inputs, 0) in ("int16", "float16"):
        return 3
    if dtype(inputs, 0) == "int8":
        return 5 if is_per_channel(inputs[0]) else 2
    return 1


def quantize(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if is_per_channel(outputs[0]):
        return 3
    return 2 if outputs[0].dtype == "int16" else 1


def cast(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    kinds = {dtype(inputs, 0), outputs[0].dtype}
    if kinds & {"float16", "float64"}:
        return 5
    return 3 if "int8" in kinds else 1


def sequence_lstm(inputs: Sequence[Tensor | None], outputs: Sequence[Tensor], options: Any) -> int:
    if is_hybrid(inputs):
        return 3 if options.asymmetricQuantizeInputs else 2
    return 1


_INT8_INT16 = by_dtype({"int8": 2, "int16": 3})
_INT8 = by_dtype({"int8": 2})
_INTEGER_2 = by_dtype({"int8": 2, "int16": 2})

RULES: dict[str, Rule] = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
    "TRANSPOSE_CONV": transpose_conv,
    "MUL": mul,
    "ADD": add,
    "SUB": sub,
    "DIV": div,
    "MAXIMUM": extremum,
    "MINIMUM": extremum,
    "TRANSPOSE": transpose,
    "SLICE": slice_,
    "STRIDED_SLICE": strided_slice,
    "PAD": pad,
    "PADV2": pad,
    "RESIZE_BILINEAR": resize,
    "RESIZE_NEAREST_NEIGHBOR": resize,
    "DEQUANTIZE": dequantize,
    "QUANTIZE": quantize,
    "CAST": cast,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": sequence_lstm,
    "BATCH_MATMUL": _INT8_INT16,
    "CONCATENATION": _INT8_INT16,
    "SOFTMAX": _INT8_INT16,
    "MEAN": _INT8_INT16,
    "MIRROR_PAD": _INT8_INT16,
    "REDUCE_MAX": _INT8_INT16,
    "REDUCE_MIN": _INT8_INT16,
    "RELU": _INT8_INT16,
    "RELU6": _INT8_INT16,
    "RSQRT": _INT8_INT16,
    "MAX_POOL_2D": _INT8_INT16,
    "AVERAGE_POOL_2D": _INT8_INT16,
    "TANH": _INT8_INT16,
    "LOGISTIC": _INT8_INT16,
    "PACK": _INT8_INT16,
    "ABS": by_dtype({"int8": 2, "int16": 3, "int32": 5}),
    "GATHER": gather,
    "SPLIT": by_dtype({"int8": 2, "int32": 3, "int16": 4}, operand=1),
    "SPLIT_V": _INT8,
    "SUM": _INT8,
    "LOG_SOFTMAX": _INT8,
    "SQUARED_DIFFERENCE": _INT8,
    "GREATER": _INT8,
    "LESS_EQUAL": _INT8,
    "LESS": by_dtype({"int8": 2, "int16": 3}),
    "GREATER_EQUAL": by_dtype({"int8": 2, "int16": 3}),
    "EQUAL": by_dtype({"int8": 2, "int16": 5}),
    "NOT_EQUAL": by_dtype({"int8": 2, "int16": 4}),
    "ARG_MAX": by_dtype({"int8": 2, "bool": 3}),
    "ARG_MIN": by_dtype({"int8": 2, "bool": 3}),
    "GELU": _INT8,
    "EXP": _INTEGER_2,
    "LOG": _INTEGER_2,
    "SQRT": _INTEGER_2,
    "REDUCE_PROD": _INTEGER_2,
    "LEAKY_RELU": by_dtype({"int16": 2}),
    # TILE of int8 would be 3, which LiteRT's reference kernels are not registered for; the
    # kernel copies bytes whatever the dtype, so 1 runs everywhere
    "UNPACK": by_dtype({"int8": 2, "bool": 3, "int16": 4}),
    "REVERSE_V2": by_dtype({"int8": 3, "bool": 2}),
    "BROADCAST_TO": lambda i, o, _: 3 if dtype(i, 0) in ("int8", "int16") else 2,
    "FLOOR_DIV": by_dtype({"float32": 2, "int8": 3, "int16": 3}),
    "FLOOR_MOD": by_dtype({"int8": 2, "int16": 2}),
    "SIGN": by_dtype({"int32": 2}),
}
