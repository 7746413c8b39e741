"""Changes of representation."""

from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.builtins import Builtin, emit_builtin, require_integer_kernel
from edgenn.export.tflite.context import TENSOR_TYPES, Context
from edgenn.export.tflite.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops import Cast, Dequantize, Quantize


@emitter(Quantize)
def quantize(op: Op, context: Context) -> None:
    emit_builtin(Builtin("QUANTIZE", schema.QuantizeOptionsT), op, context)


@emitter(Dequantize)
def dequantize(op: Op, context: Context) -> None:
    emit_builtin(Builtin("DEQUANTIZE", schema.DequantizeOptionsT), op, context)


@emitter(Cast)
def cast(op: Op, context: Context) -> None:
    assert isinstance(op.operator, Cast)
    if not op.operator.stored:
        require_integer_kernel(op, context)
    options = schema.CastOptionsT()
    options.inDataType = TENSOR_TYPES[context.tensor(op.inputs[0]).dtype]
    options.outDataType = TENSOR_TYPES[context.tensor(op.output).dtype]
    context.emit("CAST", context.indices(op.inputs), context.indices(op.outputs), options)
