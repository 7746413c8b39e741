"""Products, quotients, powers and roots."""

import numpy as np

from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation, Operator
from edgenn.lowering.integer.composer import Composer
from edgenn.lowering.integer.registry import BOTH, INT8, INT16, LastOp, rule

LARGEST_EXPONENT = 16
"""Integer powers up to here become products; a product loses up to half a step."""


@rule(ops.Neg, dtypes=BOTH)
def negation(op: Op, composer: Composer) -> LastOp:
    return ops.Mul(), (op.inputs[0], composer.operand(-1))


@rule(ops.Square, dtypes=BOTH)
def square(op: Op, composer: Composer) -> LastOp:
    return ops.Mul(), (op.inputs[0], op.inputs[0])


@rule(ops.SquaredDifference, dtypes=INT16)
def squared_difference(op: Op, composer: Composer) -> LastOp:
    difference = composer.apply(ops.Sub(), *op.inputs)
    return ops.Mul(), (difference, difference)


@rule(ops.Div, dtypes=BOTH)
def quotient(op: Op, composer: Composer) -> LastOp | None:
    """``a · (1 / b)``; a constant's reciprocal is another constant."""
    assert isinstance(op.operator, ops.Div)
    a, b = op.inputs
    divisor = composer.value(b)
    product = ops.Mul(op.operator.activation)
    if divisor is not None:
        return (product, (a, composer.operand(1 / divisor))) if np.all(divisor != 0) else None
    if composer.number(a) is not None and composer.dtype == "int8":
        return None  # one real input: a table
    if composer.number(a) == 1:
        return reciprocal(b, op.operator.activation, composer)
    return product, (a, composer.apply(ops.Div(), 1, b, suffix="reciprocal"))


def reciprocal(x: str, activation: Activation, composer: Composer) -> LastOp:
    """``x · exp(-2 · log|x|)``: int16 kernels look both functions up."""
    logarithm = composer.apply(ops.Log(), composer.apply(ops.Abs(), x))
    inverse_square = composer.apply(ops.Exp(), composer.apply(ops.Mul(), logarithm, -2))
    return ops.Mul(activation), (x, inverse_square)


@rule(ops.FloorDiv, dtypes=INT8)
def floor_quotient(op: Op, composer: Composer) -> LastOp | None:
    if any(composer.number(name) is not None for name in op.inputs):
        return None  # one real input: a table
    return ops.Floor(), (composer.apply(ops.Div(), *op.inputs),)


@rule(ops.FloorMod, dtypes=INT8)
def floor_remainder(op: Op, composer: Composer) -> LastOp | None:
    """``a - b · floor(a / b)``."""
    if any(composer.number(name) is not None for name in op.inputs):
        return None  # one real input: a table
    a, b = op.inputs
    return ops.Sub(), (a, composer.apply(ops.Mul(), b, composer.apply(ops.FloorDiv(), a, b)))


@rule(ops.Pow, dtypes=INT8)
def power_int8(op: Op, composer: Composer) -> LastOp | None:
    """Products for a square; other powers with one real input become tables."""
    x, y = op.inputs
    if composer.number(y) == 2:
        return ops.Mul(), (x, x)
    if composer.number(x) is not None or composer.number(y) is not None:
        return None
    return power_of_positive(x, y, composer)


@rule(ops.Pow, dtypes=INT16)
def power_int16(op: Op, composer: Composer) -> LastOp | None:
    """Products, roots and reciprocals for constant exponents; ``exp`` for constant bases > 0."""
    x, y = op.inputs
    base, exponent = composer.number(x), composer.number(y)
    if base is not None and base > 0:
        return ops.Exp(), (composer.apply(ops.Mul(), y, np.log(base)),)
    if exponent in ROOTS:
        return ROOTS[exponent], (x,)
    if exponent is None or not exponent.is_integer() or abs(exponent) > LARGEST_EXPONENT:
        return power_of_positive(x, y, composer)
    if exponent < 0:
        return ops.Div(), (composer.operand(1), composer.apply(ops.Pow(), x, -exponent))
    if exponent == 0:
        return None
    if exponent == 1:
        return ops.Mul(), (x, composer.operand(1))
    half = composer.apply(ops.Pow(), x, exponent // 2) if exponent > 3 else x
    square_ = (half, half)
    if exponent % 2 == 0:
        return ops.Mul(), square_
    return ops.Mul(), (composer.apply(ops.Mul(), *square_), x)


def power_of_positive(x: str, y: str, composer: Composer) -> LastOp | None:
    """``exp(y · log(x))``, if ``x`` can be seen not to be negative."""
    if not is_not_negative(x, composer):
        return None
    return ops.Exp(), (composer.apply(ops.Mul(), composer.apply(ops.Log(), x), y),)


ROOTS: dict[float | None, Operator] = {0.5: ops.Sqrt(), -0.5: ops.Rsqrt()}


@rule(ops.Sqrt, ops.Rsqrt, dtypes=INT16)
def root(op: Op, composer: Composer) -> LastOp | None:
    """Roots of ``relu(x)``: the kernels stop at negative numbers, which rounding can make."""
    (x,) = op.inputs
    if is_not_negative(x, composer):
        return None
    return op.operator, (composer.apply(ops.Relu(), x),)


NOT_NEGATIVE = (
    ops.Abs, ops.Exp, ops.Logistic, ops.Relu, ops.Relu6, ops.Rsqrt, ops.Softmax, ops.Sqrt,
)  # fmt: skip
"""Operators whose integers never stand for negative numbers."""
KEEP_SIGN = (ops.Add, ops.Maximum, ops.Mean, ops.Mul, ops.ReduceMax, ops.ReduceMin, ops.Sum)
"""Operators that make nothing negative from what is not negative."""


def is_not_negative(name: str, composer: Composer) -> bool:
    """Whether no integer of the tensor stands for a negative number."""
    data = composer.value(name)
    if data is not None:
        return bool(np.all(data >= 0))
    op = composer.producer(name)
    if op is None:
        return False
    if isinstance(op.operator, ops.Mul) and op.inputs[0] == op.inputs[1]:
        return True
    if getattr(op.operator, "activation", Activation.NONE) in (Activation.RELU, Activation.RELU6):
        return True
    return isinstance(op.operator, NOT_NEGATIVE) or (
        isinstance(op.operator, KEEP_SIGN)
        and all(is_not_negative(source, composer) for source in op.inputs)
    )
