"""Activation functions without an int16 kernel."""

from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.lowering.integer.composer import Composer
from edgenn.lowering.integer.registry import INT16, LastOp, rule


@rule(ops.ReluN1To1, dtypes=INT16)
def relu_n1_to_1(op: Op, composer: Composer) -> LastOp:
    """``x + 0``, clamped by the sum's own activation."""
    return ops.Add(Activation.RELU_N1_TO_1), (op.inputs[0], composer.operand(0))


@rule(ops.HardSwish, dtypes=INT16)
def hard_swish(op: Op, composer: Composer) -> LastOp:
    """``x · (relu6(x + 3) / 6)``."""
    (x,) = op.inputs
    gate = composer.apply(ops.Add(Activation.RELU6), x, 3)
    return ops.Mul(), (x, composer.apply(ops.Mul(), gate, 1 / 6, suffix="gate"))


@rule(ops.Elu, dtypes=INT16)
def elu(op: Op, composer: Composer) -> LastOp:
    """``relu(x) + (exp(min(x, 0)) - 1)``."""
    (x,) = op.inputs
    decay = composer.apply(ops.Exp(), composer.apply(ops.Minimum(), x, 0))
    return ops.Add(), (composer.apply(ops.Relu(), x), composer.apply(ops.Sub(), decay, 1))


@rule(ops.Prelu, dtypes=INT16)
def prelu(op: Op, composer: Composer) -> LastOp:
    """``relu(x) + alpha · min(x, 0)``."""
    x, alpha = op.inputs
    negative = composer.apply(ops.Mul(), composer.apply(ops.Minimum(), x, 0), alpha)
    return ops.Add(), (composer.apply(ops.Relu(), x), negative)


@rule(ops.LogSoftmax, dtypes=INT16)
def log_softmax(op: Op, composer: Composer) -> LastOp:
    """``x - max - log(sum(exp(x - max)))``."""
    (x,) = op.inputs
    last = (len(composer.shape(x)) - 1,)
    shifted = composer.apply(ops.Sub(), x, composer.apply(ops.ReduceMax(last, True), x))
    total = composer.apply(ops.Sum(last, True), composer.apply(ops.Exp(), shifted))
    return ops.Sub(), (shifted, composer.apply(ops.Log(), total))
