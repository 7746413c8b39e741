"""Sums as means, running sums as matrix products."""

from math import prod

import numpy as np

from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.ops.reduction import normalized
from edgenn.lowering.integer.composer import Composer
from edgenn.lowering.integer.registry import BOTH, LastOp, rule

LONGEST_SUM = 1024
"""Beyond it the matrix of ones takes more than a megabyte."""


@rule(ops.CumSum, dtypes=BOTH)
def running_sum(op: Op, composer: Composer) -> LastOp | None:
    """The product with a triangle of ones, over the last axis."""
    assert isinstance(op.operator, ops.CumSum)
    (x,) = op.inputs
    rank = len(composer.shape(x))
    axis = normalized(op.operator.axis, rank)
    size = composer.shape(x)[axis]
    if size is None or size > LONGEST_SUM:
        return None
    ones = composer.operand(np.tril(np.ones((size, size), np.float32)))
    if axis == rank - 1:
        return ops.FullyConnected(), (x, ones)
    swap = list(range(rank))
    swap[axis], swap[-1] = swap[-1], swap[axis]
    moved = composer.apply(ops.Transpose(tuple(swap)), x)
    return ops.Transpose(tuple(swap)), (composer.apply(ops.FullyConnected(), moved, ones),)


@rule(ops.Sum, dtypes=BOTH)
def total(op: Op, composer: Composer) -> LastOp | None:
    """The mean times the count: LiteRT's reference kernel of SUM reads int8 and int16 as uint8."""
    assert isinstance(op.operator, ops.Sum)
    (x,) = op.inputs
    sizes = [composer.shape(x)[axis] for axis in op.operator.axes]
    count = prod(size or 0 for size in sizes)
    if not count:
        return None
    mean = composer.apply(ops.Mean(op.operator.axes, op.operator.keep_dims), x)
    return ops.Mul(), (mean, composer.operand(count))
