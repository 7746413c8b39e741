"""Pooling."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.builtins import Builtin, Builtins, emit_builtin
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.options import ACTIVATIONS, PADDINGS
from edgenn.export.tflite.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops import AveragePool2D, MaxPool2D


def _pool(options: Any, operator: Any) -> None:
    options.padding = PADDINGS[operator.padding]
    options.strideH, options.strideW = operator.strides
    options.filterHeight, options.filterWidth = operator.size
    options.fusedActivationFunction = ACTIVATIONS[operator.activation]


POOLING: Builtins = {
    MaxPool2D: Builtin("MAX_POOL_2D", schema.Pool2DOptionsT, _pool),
    AveragePool2D: Builtin("AVERAGE_POOL_2D", schema.Pool2DOptionsT, _pool),
}


@emitter(*POOLING)
def pooling(op: Op, context: Context) -> None:
    emit_builtin(POOLING[type(op.operator)], op, context)
