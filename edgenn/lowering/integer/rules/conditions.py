"""Comparisons of real numbers, and conversions between conditions and numbers."""

from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation, Operator
from edgenn.lowering.integer.composer import Composer
from edgenn.lowering.integer.registry import BOTH, INT8, INT16, LastOp, rule

MAGNIFICATION = 256
"""LiteRT compares in steps of 1/256; differences of 1/512/256 still count when magnified."""


@rule(ops.Equal, ops.NotEqual, ops.Less, ops.LessEqual, ops.Greater, ops.GreaterEqual, dtypes=INT8)
def comparison(op: Op, composer: Composer) -> LastOp | None:
    """The difference against 0, which has one real input and becomes a table of conditions.

    The int8 kernel compares in steps of 1/256 and refuses scales from 1 on.
    """
    if any(composer.number(name) is not None for name in op.inputs):
        return None
    return op.operator, (composer.apply(ops.Sub(), *op.inputs), composer.operand(0))


ORDERINGS: dict[type[Operator], tuple[bool, Operator]] = {
    ops.Greater: (False, ops.NotEqual()),
    ops.Less: (True, ops.NotEqual()),
    ops.GreaterEqual: (True, ops.Equal()),
    ops.LessEqual: (False, ops.Equal()),
}
"""Ordering → whether its operands change places, and how their excess compares with 0."""


@rule(*ORDERINGS, dtypes=INT16)
def ordering(op: Op, composer: Composer) -> LastOp:
    """``a > b`` where ``relu(a - b)`` is not 0: int16 kernels of orderings ignore the scales."""
    swapped, operator = ORDERINGS[type(op.operator)]
    a, b = reversed(op.inputs) if swapped else op.inputs
    excess = composer.apply(ops.Sub(Activation.RELU6), a, b, suffix="excess")
    # never beyond what the kernel's multiplier holds: the excess is at most 6
    magnified = composer.apply(ops.Mul(Activation.RELU6), excess, MAGNIFICATION, suffix="magnified")
    return operator, (magnified, composer.operand(0))


@rule(ops.Cast, dtypes=BOTH)
def cast(op: Op, composer: Composer) -> LastOp | None:
    """Conditions to the numbers 0 and 1, and numbers to whether they are not 0."""
    (x,) = op.inputs
    source, target = composer.tensor(x).dtype, composer.tensor(op.output).dtype
    if (source, target) == ("bool", "float32"):
        return ops.Select(), (x, composer.operand(1), composer.operand(0))
    if (source, target) == ("float32", "bool"):
        return ops.NotEqual(), (x, composer.operand(0))
    return None


@rule(ops.Sign, dtypes=INT16)
def sign(op: Op, composer: Composer) -> LastOp:
    """Whether ``x > 0`` less whether ``x < 0``."""
    (x,) = op.inputs
    above, below = (
        composer.apply(ops.Cast(), composer.apply(compare, x, 0))
        for compare in (ops.Greater(), ops.Less())
    )
    return ops.Sub(), (above, below)
