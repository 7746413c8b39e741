"""Clamps fused into other ops, as nodes of their own."""

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import value_dtype
from edgenn.ir.fixed_point import activation_range
from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.ir.tensor import INTEGER_RANGES, Tensor


def activated(value: str, activation: Activation, op: Op, context: Context) -> str:
    """``value`` clamped as the op's fused activation says.

    A quantised output needs no clamp where its integers reach no further; elsewhere the value is
    put on the grid before it too, so that engines see a quantised op and a quantised clamp.
    """
    output = context.tensor(op.output)
    if activation is Activation.NONE or saturates(activation, output):
        return value
    return clamped(context.on_grid(value, op.output), activation, value_dtype(output), context)


def saturates(activation: Activation, output: Tensor) -> bool:
    """Whether the output's integers cannot leave the activation's bounds."""
    if output.quantization is None:
        return False
    reach = activation_range(activation, output.quantization, output.dtype)
    return reach == INTEGER_RANGES[output.dtype]


def clamped(value: str, activation: Activation, dtype: str, context: Context) -> str:
    if activation is Activation.RELU:
        return context.node("Relu", [value])
    low, high = activation.bounds
    bounds = [context.attribute("low", low, dtype), context.attribute("high", high, dtype)]
    return context.node("Clip", [value, *bounds])
