"""Activation functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgenn.ir.fixed_point import Ints
from edgenn.ir.operator import Activation, FixedOutput, IntegerInput, Operator, TensorType
from edgenn.ir.ops import integer_activation as kernels
from edgenn.ir.ops import integer_function as functions
from edgenn.ir.ops.broadcasting import broadcast_shapes
from edgenn.ir.ops.elementwise import INT8_ONLY, Unary
from edgenn.ir.ops.integer import stored
from edgenn.ir.ops.integer_elementwise import by_stored_value, clamped
from edgenn.ir.ops.unary import Tabulated
from edgenn.ir.special import erfc
from edgenn.ir.tensor import Array, Tensor

UNIT_RANGE = FixedOutput(int8=(1 / 256, -128), int16=(1 / 32768, 0))
"""Outputs in [0, 1), as TFLite's quantisation spec prescribes."""
SYMMETRIC_UNIT_RANGE = FixedOutput(int8=(1 / 128, 0), int16=(1 / 32768, 0))
"""Outputs in [-1, 1)."""


@dataclass(frozen=True)
class Clamp(Unary):
    """A clamp to fixed bounds that could not be fused into the op before it."""

    bound: Activation = Activation.NONE

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (self.bound.apply(x),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        return (stored(kernels.rescale(x, outputs[0]), outputs[0], self.bound),)


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
    integer_dtypes = INT8_ONLY
    bound: Activation = Activation.RELU_N1_TO_1


@dataclass(frozen=True)
class LeakyRelu(Unary):
    """``x`` where positive, ``alpha * x`` elsewhere."""

    kind = "leaky_relu"

    alpha: float = 0.2

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.where(x > 0, x, x * x.dtype.type(self.alpha)),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs

        def kernel(x: IntegerInput, output: Tensor) -> Ints:
            return kernels.leaky_relu(x, output, self.alpha)

        return (by_stored_value(x, outputs[0], kernel),)


@dataclass(frozen=True)
class Prelu(Operator):
    """Inputs: x, alpha (broadcasts). ``x`` where positive, ``alpha * x`` elsewhere."""

    kind = "prelu"
    # the int16 kernel reads alpha as int8
    integer_dtypes = INT8_ONLY

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, alpha = inputs
        return (TensorType(broadcast_shapes(x.shape, alpha.shape), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        x, alpha = inputs
        return (np.where(x > 0, x, x * alpha),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        x, alpha = inputs
        return (clamped(kernels.prelu(x, alpha, outputs[0]), outputs[0]),)


@dataclass(frozen=True)
class Elu(Tabulated):
    """``x`` where positive, ``exp(x) - 1`` elsewhere."""

    kind = "elu"
    integer_dtypes = INT8_ONLY

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.where(x > 0, x, np.expm1(np.minimum(x, 0))),)

    def table_function(self, output: Tensor) -> functions.Function:
        return functions.elu


@dataclass(frozen=True)
class Bounded(Tabulated):
    """In int8 by table, in int16 by interpolation between samples of the sigmoid."""

    real_function: ClassVar[functions.Function]
    int16_kernel: ClassVar[Callable[[IntegerInput], Ints]]

    def table_function(self, output: Tensor) -> functions.Function:
        return type(self).real_function

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        if outputs[0].dtype == "int8":
            return super().evaluate_integer(inputs, outputs)
        return (clamped(type(self).int16_kernel(x), outputs[0]),)


@dataclass(frozen=True)
class Logistic(Bounded):
    """``1 / (1 + exp(-x))``."""

    kind = "logistic"
    output_rule = UNIT_RANGE
    real_function = functions.logistic
    int16_kernel = kernels.logistic_int16

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        # exp of a negative number only: never overflows
        tail = np.exp(-np.abs(x))
        return (np.where(x >= 0, 1 / (1 + tail), tail / (1 + tail)).astype(x.dtype),)


@dataclass(frozen=True)
class Tanh(Bounded):
    kind = "tanh"
    output_rule = SYMMETRIC_UNIT_RANGE
    function = np.tanh
    real_function = functions.tanh32
    int16_kernel = kernels.tanh_int16


@dataclass(frozen=True)
class HardSwish(Unary):
    """``x * relu6(x + 3) / 6`` (Howard et al. 2019, arXiv 1905.02244)."""

    kind = "hard_swish"
    integer_dtypes = INT8_ONLY

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return ((x * np.clip(x + 3, 0, 6) / 6).astype(x.dtype),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        return (by_stored_value(x, outputs[0], kernels.hard_swish),)


@dataclass(frozen=True)
class Gelu(Tabulated):
    """Gaussian error linear unit (Hendrycks & Gimpel 2016, arXiv 1606.08415)."""

    kind = "gelu"

    approximate: bool = False

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        if self.approximate:
            inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
            return ((0.5 * x * (1 + np.tanh(inner))).astype(x.dtype),)
        # 1 + erf(x) would cancel where x is far below zero
        return ((0.5 * x * erfc(-x / np.sqrt(2))).astype(x.dtype),)

    def table_function(self, output: Tensor) -> functions.Function:
        return functions.gelu_approximate if self.approximate else functions.gelu


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

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        return (clamped(kernels.log_softmax(x), outputs[0]),)
