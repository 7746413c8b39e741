"""Activation functions that stand alone."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.builtins import Builtin, Builtins, emit_builtin
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op


def _alpha(options: Any, operator: Any) -> None:
    options.alpha = operator.alpha


def _approximate(options: Any, operator: Any) -> None:
    options.approximate = operator.approximate


ACTIVATION: Builtins = {
    ops.Relu: Builtin("RELU"),
    ops.Relu6: Builtin("RELU6"),
    ops.ReluN1To1: Builtin("RELU_N1_TO_1"),
    ops.LeakyRelu: Builtin("LEAKY_RELU", schema.LeakyReluOptionsT, _alpha),
    ops.Prelu: Builtin("PRELU"),
    ops.Elu: Builtin("ELU"),
    ops.Logistic: Builtin("LOGISTIC"),
    ops.Tanh: Builtin("TANH"),
    ops.HardSwish: Builtin("HARD_SWISH", schema.HardSwishOptionsT),
    ops.Gelu: Builtin("GELU", schema.GeluOptionsT, _approximate),
    ops.LogSoftmax: Builtin("LOG_SOFTMAX", schema.LogSoftmaxOptionsT),
}


@emitter(*ACTIVATION)
def activation(op: Op, context: Context) -> None:
    emit_builtin(ACTIVATION[type(op.operator)], op, context)
