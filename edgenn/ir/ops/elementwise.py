"""Element-wise arithmetic, comparison and selection with NumPy broadcasting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgenn.ir.operator import Activation, Operator, OutputRule, TensorType
from edgenn.ir.ops.broadcasting import broadcast_shapes
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
class Add(Arithmetic):
    kind = "add"
    function = np.add


@dataclass(frozen=True)
class Sub(Arithmetic):
    kind = "sub"
    function = np.subtract


@dataclass(frozen=True)
class Mul(Arithmetic):
    kind = "mul"
    function = np.multiply


@dataclass(frozen=True)
class Div(Arithmetic):
    kind = "div"
    function = np.true_divide
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Maximum(Binary):
    kind = "maximum"
    output_rule = OutputRule.SAME_AS_INPUT
    function = np.maximum


@dataclass(frozen=True)
class Minimum(Binary):
    kind = "minimum"
    output_rule = OutputRule.SAME_AS_INPUT
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


@dataclass(frozen=True)
class FloorDiv(Binary):
    kind = "floor_div"
    function = np.floor_divide
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class FloorMod(Binary):
    kind = "floor_mod"
    function = np.mod
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Comparison(Binary):
    """Two inputs that broadcast, a boolean output."""

    output_rule = OutputRule.NONE
    integer_dtypes = INT8_ONLY

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        a, b = inputs
        return (TensorType(broadcast_shapes(a.shape, b.shape), "bool"),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        a, b = inputs
        return (np.asarray(self.function(a, b), dtype=bool),)


@dataclass(frozen=True)
class Equal(Comparison):
    kind = "equal"
    function = np.equal


@dataclass(frozen=True)
class NotEqual(Comparison):
    kind = "not_equal"
    function = np.not_equal


@dataclass(frozen=True)
class Less(Comparison):
    kind = "less"
    function = np.less


@dataclass(frozen=True)
class LessEqual(Comparison):
    kind = "less_equal"
    function = np.less_equal


@dataclass(frozen=True)
class Greater(Comparison):
    kind = "greater"
    function = np.greater


@dataclass(frozen=True)
class GreaterEqual(Comparison):
    kind = "greater_equal"
    function = np.greater_equal


@dataclass(frozen=True)
class LogicalAnd(Comparison):
    kind = "logical_and"
    function = np.logical_and


@dataclass(frozen=True)
class LogicalOr(Comparison):
    kind = "logical_or"
    function = np.logical_or


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


@dataclass(frozen=True)
class LogicalNot(Unary):
    kind = "logical_not"
    output_rule = OutputRule.NONE
    function = np.logical_not


@dataclass(frozen=True)
class Abs(Unary):
    kind = "abs"
    function = np.absolute


@dataclass(frozen=True)
class Neg(Unary):
    kind = "neg"
    function = np.negative
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Exp(Unary):
    kind = "exp"
    function = np.exp


@dataclass(frozen=True)
class Log(Unary):
    kind = "log"
    function = np.log


@dataclass(frozen=True)
class Sqrt(Unary):
    kind = "sqrt"
    function = np.sqrt
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Rsqrt(Unary):
    kind = "rsqrt"

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.asarray(1 / np.sqrt(x), dtype=x.dtype),)


@dataclass(frozen=True)
class Square(Unary):
    kind = "square"
    function = np.square
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Sin(Unary):
    kind = "sin"
    function = np.sin
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Cos(Unary):
    kind = "cos"
    function = np.cos
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Floor(Unary):
    kind = "floor"
    function = np.floor
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Ceil(Unary):
    kind = "ceil"
    function = np.ceil
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Round(Unary):
    """To the nearest integer, ties to even."""

    kind = "round"
    function = np.rint
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Sign(Unary):
    kind = "sign"
    function = np.sign
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Select(Operator):
    """Inputs: condition (bool), a, b. Output: a where the condition holds, else b."""

    kind = "select"
    output_rule = OutputRule.SAME_AS_INPUT
    data_inputs = (1, 2)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        condition, a, b = inputs
        return (TensorType(broadcast_shapes(condition.shape, a.shape, b.shape), a.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        condition, a, b = inputs
        return (np.where(condition, a, b),)
