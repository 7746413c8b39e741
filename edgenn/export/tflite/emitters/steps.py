"""Steps of sequences, chosen row by row."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.builtins import Builtin, emit_builtin
from edgenn.export.tflite.context import TENSOR_TYPES, Context
from edgenn.export.tflite.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops import CountTrue, GatherSteps


@emitter(GatherSteps)
def gather_steps(op: Op, context: Context) -> None:
    def fill(options: Any, _: Any) -> None:
        options.axis = options.batchDims = 1

    emit_builtin(Builtin("GATHER", schema.GatherOptionsT, fill), op, context)


@emitter(CountTrue)
def count_true(op: Op, context: Context) -> None:
    """CUMSUM of float32, which counts up to 2**24: TFLite Micro has no other for plain numbers."""
    shape = context.tensor(op.inputs[0]).shape
    (x,), (y,) = context.indices(op.inputs), context.indices(op.outputs)
    ones = context.temporary(f"{op.name}/numbers", shape, "float32")
    emit_cast(x, "bool", ones, "float32", context)
    sums = context.temporary(f"{op.name}/sums", shape, "float32")
    axis = context.constant(f"{op.name}/axis", np.array(len(shape) - 1, np.int32))
    context.emit("CUMSUM", [ones, axis], [sums], schema.CumsumOptionsT())
    emit_cast(sums, "float32", y, "int32", context)


def emit_cast(x: int, source: str, y: int, target: str, context: Context) -> None:
    options = schema.CastOptionsT()
    options.inDataType, options.outDataType = TENSOR_TYPES[source], TENSOR_TYPES[target]
    context.emit("CAST", [x], [y], options)
