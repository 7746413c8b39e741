"""Operators that compute with the shapes of tensors."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.builtins import Builtin, emit_builtin
from edgenn.export.tflite.context import TENSOR_TYPES, Context
from edgenn.export.tflite.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op


def _output_type(options: Any, operator: Any) -> None:
    options.outType = TENSOR_TYPES[operator.dtype]


@emitter(ops.ShapeOf)
def shape_of(op: Op, context: Context) -> None:
    emit_builtin(Builtin("SHAPE", schema.ShapeOptionsT, _output_type), op, context)


@emitter(ops.Fill)
def fill(op: Op, context: Context) -> None:
    emit_builtin(Builtin("FILL", schema.FillOptionsT), op, context)


@emitter(ops.UpdateSlice)
def update_slice(op: Op, context: Context) -> None:
    emit_builtin(Builtin("DYNAMIC_UPDATE_SLICE"), op, context)


@emitter(ops.SliceAt)
def slice_at(op: Op, context: Context) -> None:
    assert isinstance(op.operator, ops.SliceAt)
    sizes = context.constant(f"{op.name}/sizes", np.array(op.operator.sizes, np.int32))
    emit_builtin(Builtin("SLICE", schema.SliceOptionsT), op, context, sizes)
