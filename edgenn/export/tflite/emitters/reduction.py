"""Reductions; TFLite takes their axes as a constant input."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.builtins import Builtin, Builtins, emit_builtin
from edgenn.export.tflite.context import TENSOR_TYPES, Context
from edgenn.export.tflite.registry import emitter
from edgenn.export.tflite.widening import in_int32
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.ops.reduction import ArgReduction, CumSum, Reduction


def _keep_dims(options: Any, operator: Any) -> None:
    options.keepDims = operator.keep_dims


def _output_type(options: Any, operator: Any) -> None:
    options.outputType = TENSOR_TYPES[operator.dtype]


OVER_AXES: Builtins = {
    ops.Mean: Builtin("MEAN", schema.ReducerOptionsT, _keep_dims),
    ops.Sum: Builtin("SUM", schema.ReducerOptionsT, _keep_dims),
    ops.ReduceMax: Builtin("REDUCE_MAX", schema.ReducerOptionsT, _keep_dims),
    ops.ReduceMin: Builtin("REDUCE_MIN", schema.ReducerOptionsT, _keep_dims),
    ops.ReduceProd: Builtin("REDUCE_PROD", schema.ReducerOptionsT, _keep_dims),
    ops.ReduceAny: Builtin("REDUCE_ANY", schema.ReducerOptionsT, _keep_dims),
    ops.ReduceAll: Builtin("REDUCE_ALL", schema.ReducerOptionsT, _keep_dims),
}

ALONG_AXIS: Builtins = {
    ops.ArgMax: Builtin("ARG_MAX", schema.ArgMaxOptionsT, _output_type),
    ops.ArgMin: Builtin("ARG_MIN", schema.ArgMinOptionsT, _output_type),
    ops.CumSum: Builtin("CUMSUM", schema.CumsumOptionsT),
}


@emitter(*OVER_AXES)
def over_axes(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, Reduction)
    axes = context.constant(f"{op.name}/axes", np.array(operator.axes, np.int32))
    emit_builtin(OVER_AXES[type(operator)], op, context, axes)


@emitter(*ALONG_AXIS)
def along_axis(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ArgReduction | CumSum)
    axis = context.constant(f"{op.name}/axis", np.array(operator.axis, np.int32))
    builtin = ALONG_AXIS[type(operator)]
    if isinstance(operator, ArgReduction) and context.tensor(op.inputs[0]).dtype == "int16":
        # LiteRT has no int16 kernel; the order of the integers is all that counts
        wide = in_int32(op.inputs[0], op.name, context)
        assert builtin.options is not None
        options = builtin.options()
        _output_type(options, operator)
        context.emit(builtin.name, [wide, axis], context.indices(op.outputs), options)
        return
    emit_builtin(builtin, op, context, axis)
