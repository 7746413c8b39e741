"""Element-wise operators: their base classes, and arithmetic with NumPy broadcasting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgenn.ir.operator import Activation, IntegerInput, Operator, TensorType
from edgenn.ir.ops import integer_elementwise as kernels
from edgenn.ir.ops.broadcasting import broadcast_shapes
from edgenn.ir.ops.integer import stored
from edgenn.ir.ops.moving import Mover
from edgenn.ir.tensor import Array, Tensor

FLOAT_ONLY: frozenset[str] = frozenset()
INT8_ONLY: frozenset[str] = frozenset({"int8"})


@dataclass(frozen=True)
class Binary(Operator):
    """Two inputs that broadcast, one output of their dtype; ``function`` is a ufunc."""

    function: ClassVar[np.ufunc]

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        a, b = inputs
        return (TensorType(broadcast_shapes(a.shape, b.shape), a.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        a, b = inputs
        return (np.asarray(self.function(a, b), dtype=a.dtype),)


@dataclass(frozen=True)
class Arithmetic(Binary):
    """A binary operator into which an activation can be fused."""

    activation: Activation = Activation.NONE

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        return (self.activation.apply(super().evaluate(inputs)[0]),)


@dataclass(frozen=True)
class IntegerArithmetic(Arithmetic):
    """Arithmetic that LiteRT also has an integer kernel for."""

    evaluates_uint8 = True

    integer_kernel: ClassVar[kernels.BinaryKernel]

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        a, b = inputs
        steps = type(self).integer_kernel(a, b, outputs[0])
        return (stored(steps, outputs[0], self.activation),)


@dataclass(frozen=True)
class Add(IntegerArithmetic):
    kind = "add"
    function = np.add
    integer_kernel = kernels.add


@dataclass(frozen=True)
class Sub(IntegerArithmetic):
    kind = "sub"
    function = np.subtract
    integer_kernel = kernels.subtract


@dataclass(frozen=True)
class Mul(IntegerArithmetic):
    kind = "mul"
    function = np.multiply
    integer_kernel = kernels.multiply


@dataclass(frozen=True)
class Div(Arithmetic):
    """Float only.

    LiteRT 2.3 has integer kernels, but they shift by more bits than an int32 has where the
    quotient is far below the output's scale: 1/67 at scale 1 gives 127 instead of 0.
    """

    kind = "div"
    function = np.true_divide
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Extremum(Mover, Binary):
    """Chooses one of the operands, which share one scale."""


@dataclass(frozen=True)
class Maximum(Extremum):
    kind = "maximum"
    function = np.maximum


@dataclass(frozen=True)
class Minimum(Extremum):
    kind = "minimum"
    function = np.minimum


@dataclass(frozen=True)
class Pow(Binary):
    kind = "pow"
    function = np.power
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class SquaredDifference(Binary):
    kind = "squared_difference"
    integer_dtypes = INT8_ONLY

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        a, b = inputs
        return (np.square(a - b),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        a, b = inputs
        return (kernels.clamped(kernels.squared_difference(a, b, outputs[0]), outputs[0]),)


@dataclass(frozen=True)
class FloorDiv(Binary):
    """LiteRT's integer kernels divide stored integers whatever they stand for."""

    kind = "floor_div"
    function = np.floor_divide
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class FloorMod(Binary):
    kind = "floor_mod"
    function = np.mod
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Unary(Operator):
    """One input, one output of the same shape; ``function`` is a ufunc."""

    function: ClassVar[np.ufunc]

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape, x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.asarray(self.function(x), dtype=x.dtype),)
