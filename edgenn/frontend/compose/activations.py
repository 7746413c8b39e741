"""Activation functions, made of operators that have integer kernels where TFLite has them.

TFLite's DIV, NEG, SQRT and SQUARE are float only; products, ``RSQRT`` and subtraction from a
constant say the same and quantise.
"""

from collections.abc import Callable, Sequence

import numpy as np

from edgenn.frontend.context import Context
from edgenn.ir.ops import (
    Abs,
    Add,
    Elu,
    Exp,
    Gelu,
    Greater,
    HardSwish,
    LeakyRelu,
    Log,
    Logistic,
    LogSoftmax,
    Maximum,
    Minimum,
    Mul,
    Relu,
    Relu6,
    ReluN1To1,
    Rsqrt,
    Select,
    Softmax,
    Split,
    Sub,
    Tanh,
)
from edgenn.ir.tensor import Shape

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def relu(
    context: Context,
    x: str,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> str:
    """Clamp from below, with the slope, ceiling and threshold of ``keras.layers.ReLU``."""
    if threshold:
        above = context.apply(Greater(), x, threshold)
        y = context.add(Select(), [above, x, context.operand(0, context.dtype(x))])
        y = context.apply(Maximum(), y, 0) if threshold < 0 and max_value is not None else y
    elif negative_slope and max_value is None:
        return context.apply(LeakyRelu(float(negative_slope)), x)
    elif max_value == 6:
        y, max_value = context.apply(Relu6(), x), None
    else:
        y = context.apply(Relu(), x)
    if max_value is not None:
        y = context.apply(Minimum(), y, max_value)
    if not negative_slope:
        return y
    below = context.apply(Relu(), context.apply(Sub(), threshold, x))
    return context.apply(Sub(), y, context.apply(Mul(), below, negative_slope))


def leaky_relu(context: Context, x: str, negative_slope: float = 0.2) -> str:
    return context.apply(LeakyRelu(float(negative_slope)), x)


def relu6(context: Context, x: str) -> str:
    return context.apply(Relu6(), x)


def sigmoid(context: Context, x: str) -> str:
    return context.apply(Logistic(), x)


def tanh(context: Context, x: str) -> str:
    return context.apply(Tanh(), x)


def exponential(context: Context, x: str) -> str:
    return context.apply(Exp(), x)


def linear(context: Context, x: str) -> str:
    """The input itself."""
    return x


def elu(context: Context, x: str, alpha: float = 1.0) -> str:
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return context.apply(Elu(), x) if alpha == 1 else scaled_elu(context, x, alpha, 1.0)


def selu(context: Context, x: str) -> str:
    """Self-normalising units (Klambauer et al. 2017, arXiv 1706.02515)."""
    return scaled_elu(context, x, SELU_ALPHA, SELU_SCALE)


def celu(context: Context, x: str, alpha: float = 1.0) -> str:
    """``max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))``."""
    return scaled_elu(context, x, alpha, 1.0, alpha)


def scaled_elu(
    context: Context, x: str, alpha: float, scale: float, temperature: float = 1.0
) -> str:
    """``scale * (x where positive, alpha * (exp(x / temperature) - 1) elsewhere)``."""
    positive = context.apply(Relu(), x)
    negative = context.apply(Minimum(), x, 0)
    if temperature != 1:
        negative = context.apply(Mul(), negative, 1 / temperature)
    negative = context.apply(Mul(), context.apply(Elu(), negative), scale * alpha)
    if scale != 1:
        positive = context.apply(Mul(), positive, scale)
    return context.apply(Add(), positive, negative)


def softplus(context: Context, x: str) -> str:
    """``log(1 + exp(x))`` as ``max(x, 0) + log(1 + exp(-|x|))``, which never overflows."""
    return context.apply(Add(), context.apply(Relu(), x), softplus_tail(context, x))


def log_sigmoid(context: Context, x: str) -> str:
    """``-softplus(-x)``."""
    return context.apply(Sub(), context.apply(Minimum(), x, 0), softplus_tail(context, x))


def softplus_tail(context: Context, x: str) -> str:
    """``log(1 + exp(-|x|))``."""
    decay = context.apply(Exp(), context.negative(context.apply(Abs(), x)))
    return context.apply(Log(), context.apply(Add(), decay, 1))


def softsign(context: Context, x: str) -> str:
    """``x / (1 + |x|)``."""
    divisor = context.apply(Add(), context.apply(Abs(), x), 1)
    return context.apply(Mul(), x, reciprocal_of_positive(context, divisor))


def reciprocal_of_positive(context: Context, x: str) -> str:
    """``1 / x`` as ``rsqrt(x * x)``."""
    return context.apply(Rsqrt(), context.apply(Mul(), x, x))


def silu(context: Context, x: str) -> str:
    """``x * sigmoid(x)``."""
    return context.apply(Mul(), x, context.apply(Logistic(), x))


def gelu(context: Context, x: str, approximate: bool = False) -> str:
    return context.apply(Gelu(bool(approximate)), x)


def hard_sigmoid(context: Context, x: str) -> str:
    """``relu6(x + 3) / 6``."""
    return context.apply(Mul(), context.apply(Relu6(), context.apply(Add(), x, 3)), 1 / 6)


def hard_silu(context: Context, x: str) -> str:
    return context.apply(HardSwish(), x)


def mish(context: Context, x: str) -> str:
    """``x * tanh(softplus(x))``."""
    return context.apply(Mul(), x, context.apply(Tanh(), softplus(context, x)))


def hard_tanh(context: Context, x: str) -> str:
    """``x`` clamped to [-1, 1]."""
    return context.apply(ReluN1To1(), x)


def tanh_shrink(context: Context, x: str) -> str:
    """``x - tanh(x)``."""
    return context.apply(Sub(), x, context.apply(Tanh(), x))


def hard_shrink(context: Context, x: str, threshold: float = 0.5) -> str:
    """``x`` where ``|x| > threshold``, 0 elsewhere."""
    outside = context.apply(Greater(), context.apply(Abs(), x), threshold)
    return context.add(Select(), [outside, x, context.operand(0, context.dtype(x))])


def soft_shrink(context: Context, x: str, threshold: float = 0.5) -> str:
    """``x`` moved towards 0 by ``threshold``."""
    above = context.apply(Relu(), context.apply(Sub(), x, threshold))
    below = context.apply(Relu(), context.apply(Sub(), -threshold, x))
    return context.apply(Sub(), above, below)


def threshold(context: Context, x: str, threshold: float, default_value: float) -> str:
    """``x`` where above the threshold, a fixed value elsewhere."""
    above = context.apply(Greater(), x, threshold)
    return context.add(Select(), [above, x, context.operand(default_value, context.dtype(x))])


def squareplus(context: Context, x: str, b: float = 4) -> str:
    """``(x + sqrt(x² + b)) / 2`` (Barron 2021, arXiv 2112.11687)."""
    radicand = context.apply(Add(), context.apply(Mul(), x, x), b)
    root = context.apply(Mul(), radicand, context.apply(Rsqrt(), radicand))
    return context.apply(Mul(), context.apply(Add(), x, root), 0.5)


def sparse_plus(context: Context, x: str) -> str:
    """0 up to -1, ``(x + 1)² / 4`` up to 1, ``x`` above."""
    half = context.apply(Mul(), context.apply(Add(), context.apply(ReluN1To1(), x), 1), 0.5)
    above = context.apply(Relu(), context.apply(Sub(), x, 1))
    return context.apply(Add(), context.apply(Mul(), half, half), above)


def sparse_sigmoid(context: Context, x: str) -> str:
    """``(x + 1) / 2`` clamped to [0, 1]."""
    return context.apply(Mul(), context.apply(Add(), context.apply(ReluN1To1(), x), 1), 0.5)


def glu(context: Context, x: str, axis: int = -1) -> str:
    """One half of ``axis`` times the sigmoid of the other half."""
    axis = context.axis(x, axis)
    half = context.size(x, axis) // 2
    value, gate = context.builder.add_multiple(
        Split(axis, (half, half)), [x], [f"{context.path}/value", f"{context.path}/gate"]
    )
    return context.apply(Mul(), value, context.apply(Logistic(), gate))


def softmax(context: Context, x: str, axis: int | Sequence[int] | None = -1) -> str:
    """Softmax over any axes, several of them taken together."""
    return over_last_axis(context, x, axis, lambda y: context.apply(Softmax(), y))


def log_softmax(context: Context, x: str, axis: int | Sequence[int] | None = -1) -> str:
    """Logarithm of the softmax over any axes."""
    return over_last_axis(context, x, axis, lambda y: context.apply(LogSoftmax(), y))


def over_last_axis(
    context: Context,
    x: str,
    axis: int | Sequence[int] | None,
    function: Callable[[str], str],
) -> str:
    """Applies ``function``, which works on the last axis, over ``axis`` of ``x``."""
    rank = context.rank(x)
    if axis is None:
        axis = range(rank)
    axes = [context.axis(x, a) for a in ([axis] if isinstance(axis, int) else axis)]
    permutation = [i for i in range(rank) if i not in axes] + axes
    moved = context.transpose(x, permutation)
    shape: Shape = context.shape(moved)
    if len(axes) > 1:
        merged = int(np.prod([context.size(x, a) for a in axes]))
        result = function(context.reshape(moved, (*shape[: rank - len(axes)], merged)))
        result = context.reshape(result, shape)
    else:
        result = function(moved)
    return context.transpose(result, np.argsort(permutation).tolist())
