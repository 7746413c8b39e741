"""Softmax."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.builtins import Builtin, emit_builtin
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops import Softmax


def _beta(options: Any, operator: Any) -> None:
    options.beta = operator.beta


SOFTMAX = Builtin("SOFTMAX", schema.SoftmaxOptionsT, _beta)


@emitter(Softmax)
def softmax(op: Op, context: Context) -> None:
    emit_builtin(SOFTMAX, op, context)
