"""Comparison, logic and selection with NumPy broadcasting."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgenn.ir.operator import IntegerInput, OutputRule, TensorType
from edgenn.ir.ops import integer_elementwise as kernels
from edgenn.ir.ops.broadcasting import broadcast_shapes
from edgenn.ir.ops.elementwise import FLOAT_ONLY, INT8_ONLY, Binary, Unary
from edgenn.ir.ops.moving import Mover
from edgenn.ir.tensor import Array, Tensor

INTEGER = frozenset({"int8", "int16"})


@dataclass(frozen=True)
class Comparison(Binary):
    """Two inputs that broadcast, a boolean output."""

    output_rule = OutputRule.NONE
    # int16 kernels of the ordering comparisons ignore the scales
    integer_dtypes = INT8_ONLY

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        a, b = inputs
        return (TensorType(broadcast_shapes(a.shape, b.shape), "bool"),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        a, b = inputs
        return (np.asarray(self.function(a, b), dtype=bool),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        return self.evaluate([kernels.comparable(x) for x in inputs])


@dataclass(frozen=True)
class Equal(Comparison):
    kind = "equal"
    integer_dtypes = INTEGER
    function = np.equal


@dataclass(frozen=True)
class NotEqual(Comparison):
    kind = "not_equal"
    integer_dtypes = INTEGER
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
class Logical(Binary):
    """Two boolean inputs that broadcast, a boolean output."""

    output_rule = OutputRule.NONE
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class LogicalAnd(Logical):
    kind = "logical_and"
    function = np.logical_and


@dataclass(frozen=True)
class LogicalOr(Logical):
    kind = "logical_or"
    function = np.logical_or


@dataclass(frozen=True)
class LogicalNot(Unary):
    kind = "logical_not"
    output_rule = OutputRule.NONE
    integer_dtypes = FLOAT_ONLY
    function = np.logical_not


@dataclass(frozen=True)
class Select(Mover):
    """Inputs: condition (bool), a, b. Output: a where the condition holds, else b."""

    kind = "select"
    data_inputs = (1, 2)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        condition, a, b = inputs
        return (TensorType(broadcast_shapes(condition.shape, a.shape, b.shape), a.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        condition, a, b = inputs
        return (np.where(condition, a, b),)
