"""Activation functions that stand alone, in whatever order their input exists."""

from typing import Any

from edgenn.export.onnx.activations import clamped, saturates
from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import value_dtype
from edgenn.export.onnx.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops.activation import Clamp

ACTIVATION: dict[type[Operator], str] = {
    ops.LeakyRelu: "LeakyRelu",
    ops.Elu: "Elu",
    ops.Logistic: "Sigmoid",
    ops.Tanh: "Tanh",
    ops.HardSwish: "HardSwish",
    ops.Gelu: "Gelu",
}


def attributes(operator: Operator) -> dict[str, Any]:
    match operator:
        case ops.LeakyRelu(alpha=alpha):
            return {"alpha": alpha}
        case ops.Gelu(approximate=approximate):
            return {"approximate": "tanh" if approximate else "none"}
    return {}


@emitter(*ACTIVATION)
def activation(op: Op, context: Context) -> None:
    order = context.common_order(op.inputs)
    x = context.value(op.inputs[0], order)
    y = context.node(ACTIVATION[type(op.operator)], [x], **attributes(op.operator))
    context.bind(op.output, y, order)


@emitter(ops.Relu, ops.Relu6, ops.ReluN1To1)
def clamp(op: Op, context: Context) -> None:
    operator, output = op.operator, context.tensor(op.output)
    assert isinstance(operator, Clamp)
    order = context.common_order(op.inputs)
    x = context.value(op.inputs[0], order)
    if not saturates(operator.bound, output):
        x = clamped(x, operator.bound, value_dtype(output), context)
    context.bind(op.output, x, order)


@emitter(ops.Prelu)
def prelu(op: Op, context: Context) -> None:
    """PRelu broadcasts alpha to x, not x to alpha: x is spread first where that is needed."""
    order = context.common_order(op.inputs)
    x, alpha = (context.operand(name, order) for name in op.inputs)
    if context.tensor(op.inputs[0]).shape != context.tensor(op.output).shape:
        positive = context.node("Relu", [x])
        negative = context.node("Sub", [x, positive])
        y = context.node("Add", [positive, context.node("Mul", [negative, alpha])])
    else:
        y = context.node("PRelu", [x, alpha])
    context.bind(op.output, y, order)


@emitter(ops.Softmax, ops.LogSoftmax)
def softmax(op: Op, context: Context) -> None:
    """Over the channels, wherever they are."""
    order = context.common_order(op.inputs)
    x = context.value(op.inputs[0], order)
    axis = order.index(len(order) - 1)
    if isinstance(op.operator, ops.Softmax) and op.operator.beta != 1:
        x = context.node("Mul", [x, context.attribute("beta", op.operator.beta, "float32")])
    kind = "Softmax" if isinstance(op.operator, ops.Softmax) else "LogSoftmax"
    context.bind(op.output, context.node(kind, [x], axis=axis), order)
