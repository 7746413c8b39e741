"""Activation functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf

import numpy as np

from edgenn.ir.operator import Activation, FixedOutput, Operator, TensorType
from edgenn.ir.ops.broadcasting import broadcast_shapes
from edgenn.ir.ops.elementwise import INT8_ONLY, Unary
from edgenn.ir.tensor import Array, Tensor

UNIT_RANGE = FixedOutput(int8=(1 / 256, -128), int16=(1 / 32768, 0))
"""Outputs in [0, 1), as TFLite's quantisation spec prescribes."""
SYMMETRIC_UNIT_RANGE = FixedOutput(int8=(1 / 128, 0), int16=(1 / 32768, 0))
"""Outputs in [-1, 1)."""

_erf = np.vectorize(erf, otypes=[np.float64])


@dataclass(frozen=True)
class Clamp(Unary):
    """A clamp to fixed bounds that could not be fused into the op before it."""

    bound: Activation = Activation.NONE

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (self.bound.apply(x),)


@dataclass(frozen=True)
class Relu(Clamp):
    kind = "relu"
    bound: Activation = Activation.RELU


@dataclass(frozen=True)
class Relu6(Clamp):
    kind = "relu6"
    bound: Activation = Activation.RELU6


@dataclass(frozen=True)
class ReluN1To1(Clamp):
    kind = "relu_n1_to_1"
    bound: Activation = Activation.RELU_N1_TO_1


@dataclass(frozen=True)
class LeakyRelu(Unary):
    """``x`` where positive, ``alpha * x`` elsewhere."""

    kind = "leaky_relu"

    alpha: float = 0.2

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.where(x > 0, x, x * x.dtype.type(self.alpha)),)


@dataclass(frozen=True)
class Prelu(Operator):
    """Inputs: x, alpha (broadcasts). ``x`` where positive, ``alpha * x`` elsewhere."""

    kind = "prelu"
    integer_dtypes = INT8_ONLY

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, alpha = inputs
        return (TensorType(broadcast_shapes(x.shape, alpha.shape), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        x, alpha = inputs
        return (np.where(x > 0, x, x * alpha),)


@dataclass(frozen=True)
class Elu(Unary):
    """``x`` where positive, ``exp(x) - 1`` elsewhere."""

    kind = "elu"
    integer_dtypes = INT8_ONLY

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.where(x > 0, x, np.expm1(np.minimum(x, 0))),)


@dataclass(frozen=True)
class Logistic(Unary):
    """``1 / (1 + exp(-x))``."""

    kind = "logistic"
    output_rule = UNIT_RANGE

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        # exp of a negative number only: never overflows
        tail = np.exp(-np.abs(x))
        return (np.where(x >= 0, 1 / (1 + tail), tail / (1 + tail)).astype(x.dtype),)


@dataclass(frozen=True)
class Tanh(Unary):
    kind = "tanh"
    output_rule = SYMMETRIC_UNIT_RANGE
    function = np.tanh


@dataclass(frozen=True)
class HardSwish(Unary):
    """``x * relu6(x + 3) / 6`` (Howard et al. 2019, arXiv 1905.02244)."""

    kind = "hard_swish"
    integer_dtypes = INT8_ONLY

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return ((x * np.clip(x + 3, 0, 6) / 6).astype(x.dtype),)


@dataclass(frozen=True)
class Gelu(Unary):
    """Gaussian error linear unit (Hendrycks & Gimpel 2016, arXiv 1606.08415)."""

    kind = "gelu"
    integer_dtypes = INT8_ONLY

    approximate: bool = False

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        if self.approximate:
            inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
            return ((0.5 * x * (1 + np.tanh(inner))).astype(x.dtype),)
        return ((0.5 * x * (1 + _erf(x / np.sqrt(2)))).astype(x.dtype),)


@dataclass(frozen=True)
class LogSoftmax(Unary):
    """Logarithm of the softmax over the last axis."""

    kind = "log_softmax"
    output_rule = FixedOutput(int8=(16 / 256, 127), int16=(16 / 32768, 0))
    integer_dtypes = INT8_ONLY

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        shifted = x - x.max(axis=-1, keepdims=True)
        total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return ((shifted - total).astype(x.dtype),)
