"""Element-wise functions: a look-up in a table where they are integers, else their steps."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.builtins import require_integer_kernel
from edgenn.export.tflite.context import TENSOR_TYPES, Context
from edgenn.export.tflite.registry import EMITTERS, emitter
from edgenn.export.tflite.widening import in_int32
from edgenn.ir.graph import Op
from edgenn.ir.ops.function import STORED, ElementwiseFunction
from edgenn.ir.tensor import Array, Quantization, Tensor


@emitter(ElementwiseFunction)
def function(op: Op, context: Context) -> None:
    quantization = context.tensor(op.inputs[0]).quantization
    if quantization is None:
        steps(op, context)
    else:
        require_integer_kernel(op, context)
        look_up(op, context, quantization)


def steps(op: Op, context: Context) -> None:
    """The ops that the function is made of."""
    assert isinstance(op.operator, ElementwiseFunction)
    tensors = dict(context.graph.tensors)
    ops = op.operator.written_out(op, tensors)
    context.graph = context.graph.with_(tensors=tensors)
    for step in ops:
        EMITTERS[type(step.operator)](step, context)


def look_up(op: Op, context: Context, quantization: Quantization) -> None:
    """GATHER from the table at the stored value moved to 0 … 255."""
    assert isinstance(op.operator, ElementwiseFunction)
    (name,) = op.inputs
    x, output = context.tensor(name), context.tensor(op.output)
    add = schema.AddOptionsT()
    add.potScaleInt16 = False
    index = context.temporary(f"{op.name}/index", x.shape, "int32")
    offset = context.constant("table_offset", np.array(-STORED[0], np.int32))
    context.emit("ADD", [in_int32(name, op.name, context), offset], [index], add)
    entries = op.operator.table(quantization, output)
    if output.dtype == "bool":
        look_up_truth(op, context, entries.astype(np.int8), index)
        return
    table = context.add_tensor(Tensor.constant(f"{op.name}/table", entries, output.quantization))
    context.emit("GATHER", [table, index], [context.index(op.output)], schema.GatherOptionsT())


def look_up_truth(op: Op, context: Context, entries: Array, index: int) -> None:
    """GATHER of 0 or 1, then CAST: TensorFlow Lite Micro gathers numbers only."""
    table = context.add_tensor(Tensor.constant(f"{op.name}/table", entries))
    number = context.temporary(f"{op.name}/number", context.written(index).shape, "int8")
    context.emit("GATHER", [table, index], [number], schema.GatherOptionsT())
    options = schema.CastOptionsT()
    options.inDataType, options.outDataType = TENSOR_TYPES["int8"], TENSOR_TYPES["bool"]
    context.emit("CAST", [number], [context.index(op.output)], options)
