"""Element-wise operators, in whatever order their inputs exist."""

from collections.abc import Callable, Sequence

from edgenn.export.onnx.activations import activated
from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import value_dtype
from edgenn.export.onnx.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation, Operator
from edgenn.ir.tensor import INTEGER_RANGES, Tensor

Write = Callable[[Sequence[str], Op, Context], str]
"""Writes nodes that compute an op from its operands; returns the result."""

ONE_NODE: dict[type[Operator], str] = {
    ops.Add: "Add",
    ops.Sub: "Sub",
    ops.Mul: "Mul",
    ops.Div: "Div",
    ops.Maximum: "Max",
    ops.Minimum: "Min",
    ops.Pow: "Pow",
    ops.Equal: "Equal",
    ops.Less: "Less",
    ops.LessEqual: "LessOrEqual",
    ops.Greater: "Greater",
    ops.GreaterEqual: "GreaterOrEqual",
    ops.LogicalAnd: "And",
    ops.LogicalOr: "Or",
    ops.LogicalNot: "Not",
    ops.Select: "Where",
    ops.Abs: "Abs",
    ops.Neg: "Neg",
    ops.Exp: "Exp",
    ops.Log: "Log",
    ops.Sqrt: "Sqrt",
    ops.Sin: "Sin",
    ops.Cos: "Cos",
    ops.Floor: "Floor",
    ops.Ceil: "Ceil",
    ops.Round: "Round",
    ops.Sign: "Sign",
}


def not_equal(x: Sequence[str], op: Op, context: Context) -> str:
    return context.node("Not", [context.node("Equal", x)])


def square(x: Sequence[str], op: Op, context: Context) -> str:
    return context.node("Mul", [x[0], x[0]])


def rsqrt(x: Sequence[str], op: Op, context: Context) -> str:
    return context.node("Reciprocal", [context.node("Sqrt", x)])


def squared_difference(x: Sequence[str], op: Op, context: Context) -> str:
    return square([context.node("Sub", x)], op, context)


def is_float(op: Op, context: Context) -> bool:
    return value_dtype(context.tensor(op.inputs[0])).startswith("float")


def floor_div(x: Sequence[str], op: Op, context: Context) -> str:
    """ONNX divides integers toward zero: the remainder is taken out first."""
    if is_float(op, context):
        return context.node("Floor", [context.node("Div", x)])
    remainder = context.node("Mod", x)
    return context.node("Div", [context.node("Sub", [x[0], remainder]), x[1]])


def floor_mod(x: Sequence[str], op: Op, context: Context) -> str:
    """The remainder with the divisor's sign; ONNX has it for integers only."""
    if not is_float(op, context):
        return context.node("Mod", x)
    zero = context.attribute("zero", 0, value_dtype(context.tensor(op.inputs[0])))
    remainder = context.node("Mod", x, fmod=1)
    negative = context.node("Less", [remainder, zero])
    wrong_sign = context.node("Xor", [negative, context.node("Less", [x[1], zero])])
    is_exact = context.node("Equal", [remainder, zero])
    shifted = context.node("And", [wrong_sign, context.node("Not", [is_exact])])
    return context.node("Where", [shifted, context.node("Add", [remainder, x[1]]), remainder])


SEVERAL_NODES: dict[type[Operator], Write] = {
    ops.NotEqual: not_equal,
    ops.Square: square,
    ops.Rsqrt: rsqrt,
    ops.SquaredDifference: squared_difference,
    ops.FloorDiv: floor_div,
    ops.FloorMod: floor_mod,
}


NOT_NEGATIVE = (ops.Log, ops.Sqrt, ops.Rsqrt)
"""Not defined below 0, where rounding may take an input that is 0."""


def may_be_negative(x: Tensor) -> bool:
    """Whether a quantised tensor has integers for negative numbers."""
    if x.quantization is None:
        return False
    return bool(x.quantization.zero_point[0] > INTEGER_RANGES[x.dtype][0])


@emitter(*ONE_NODE, *SEVERAL_NODES)
def elementwise(op: Op, context: Context) -> None:
    order = context.common_order(op.inputs)
    operands = [context.operand(name, order) for name in op.inputs]
    kind = type(op.operator)
    if kind in NOT_NEGATIVE and may_be_negative(context.tensor(op.inputs[0])):
        operands = [context.node("Relu", operands)]
    if kind in ONE_NODE:
        y = context.node(ONE_NODE[kind], operands)
    else:
        y = SEVERAL_NODES[kind](operands, op, context)
    activation = getattr(op.operator, "activation", Activation.NONE)
    context.bind(op.output, activated(y, activation, op, context), order)
