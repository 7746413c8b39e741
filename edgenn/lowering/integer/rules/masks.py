"""Fills of masked values before a softmax."""

from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.lowering.integer.composer import Composer
from edgenn.lowering.integer.registry import BOTH, LastOp, rule

FILL = 1e6
"""What is so far below any score that the score itself makes no difference."""


@rule(ops.Select, dtypes=BOTH)
def far_below(op: Op, composer: Composer) -> LastOp | None:
    """``mask ? x : x - 1e9`` → ``mask ? x : -1e9``.

    Keras's ``Attention`` takes a large number off masked scores. A tensor of such values would
    take all of the scale that it shares with the scores; a constant saturates.
    """
    condition, *branches = op.inputs
    for position, other in ((0, 1), (1, 0)):
        lowered = lowered_by(branches[position], branches[other], composer)
        if lowered is not None and lowered >= FILL:
            branches[position] = composer.operand(-lowered)
            return ops.Select(), (condition, *branches)
    return None


def lowered_by(name: str, x: str, composer: Composer) -> float | None:
    """How much lower ``name`` is than ``x`` everywhere, if that is how it is made."""
    made_by = composer.producer(name)
    if made_by is None or not isinstance(made_by.operator, ops.Add | ops.Sub):
        return None
    if x not in made_by.inputs or made_by.operator.activation is not Activation.NONE:
        return None
    first, second = made_by.inputs
    amount = composer.number(second if first == x else first)
    if amount is None:
        return None
    if isinstance(made_by.operator, ops.Sub):
        return amount if first == x else None
    return -amount
