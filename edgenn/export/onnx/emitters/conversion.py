"""Changes of representation. Quantised tensors are real numbers in ONNX, on a grid."""

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import ELEMENT_TYPES
from edgenn.export.onnx.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op


@emitter(ops.Cast)
def cast(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Cast)
    order = context.common_order(op.inputs)
    x = context.value(op.inputs[0], order)
    context.bind(op.output, context.node("Cast", [x], to=ELEMENT_TYPES[operator.dtype]), order)


@emitter(ops.Quantize, ops.Dequantize)
def requantize(op: Op, context: Context) -> None:
    """The same value; ``bind`` puts it on the output's grid. Constants are widened when read."""
    if context.is_constant(op.output):
        return
    order = context.common_order(op.inputs)
    context.bind(op.output, context.value(op.inputs[0], order), order)
