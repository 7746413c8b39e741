"""Reductions over axes, and running sums."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from edgenn.ir.operator import IntegerInput, Operator, OutputRule, TensorType
from edgenn.ir.ops import integer_reduction as kernels
from edgenn.ir.ops.elementwise import FLOAT_ONLY
from edgenn.ir.ops.moving import Mover
from edgenn.ir.tensor import Array, Shape, Tensor


def normalized(axis: int, rank: int) -> int:
    """``axis`` counted from the front."""
    return axis + rank if axis < 0 else axis


@dataclass(frozen=True)
class Reduction(Operator):
    """One input, reduced over ``axes`` (counted from the front)."""

    function: ClassVar[Callable[..., Any]]

    axes: tuple[int, ...] = ()
    keep_dims: bool = False

    def reduced_shape(self, shape: Shape) -> Shape:
        if self.keep_dims:
            return tuple(1 if i in self.axes else size for i, size in enumerate(shape))
        return tuple(size for i, size in enumerate(shape) if i not in self.axes)

    def concrete_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """``reduced_shape`` of an array."""
        return tuple(size for size in self.reduced_shape(tuple(shape)) if size is not None)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(self.reduced_shape(x.shape), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        function = type(self).function
        return (np.asarray(function(x, axis=self.axes, keepdims=self.keep_dims), dtype=x.dtype),)

    def count(self, shape: Sequence[int]) -> int:
        """How many values fall together in one."""
        return prod(shape[axis] for axis in self.axes)


@dataclass(frozen=True)
class Rescaled(Reduction):
    """A reduction whose result is rescaled to the output's scale."""

    integer_kernel: ClassVar[Callable[[IntegerInput, Tensor, tuple[int, ...]], Array]]

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        reduced = type(self).integer_kernel(x, outputs[0], self.axes)
        return (reduced.reshape(self.concrete_shape(x.values.shape)),)


@dataclass(frozen=True)
class Selected(Mover, Reduction):
    """A reduction whose result is one of the values: one scale for input and output."""


@dataclass(frozen=True)
class Mean(Rescaled):
    kind = "mean"
    integer_kernel = kernels.mean
    function = np.mean


@dataclass(frozen=True)
class Sum(Rescaled):
    kind = "sum"
    integer_kernel = kernels.total
    function = np.sum


@dataclass(frozen=True)
class ReduceMax(Selected):
    kind = "reduce_max"
    function = np.max


@dataclass(frozen=True)
class ReduceMin(Selected):
    kind = "reduce_min"
    function = np.min


@dataclass(frozen=True)
class ReduceProd(Rescaled):
    kind = "reduce_prod"
    integer_kernel = kernels.product
    function = np.prod


@dataclass(frozen=True)
class ReduceAny(Reduction):
    kind = "reduce_any"
    output_rule = OutputRule.NONE
    integer_dtypes = FLOAT_ONLY
    function = np.any


@dataclass(frozen=True)
class ReduceAll(Reduction):
    kind = "reduce_all"
    output_rule = OutputRule.NONE
    integer_dtypes = FLOAT_ONLY
    function = np.all


@dataclass(frozen=True)
class ArgReduction(Operator):
    """The index of the extreme value along ``axis``; the first one among equals."""

    output_rule = OutputRule.NONE
    evaluates_uint8 = True
    function: ClassVar[Callable[..., Any]]

    axis: int = -1
    dtype: str = "int32"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        axis = normalized(self.axis, x.rank)
        return (TensorType(x.shape[:axis] + x.shape[axis + 1 :], self.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.asarray(type(self).function(x, axis=self.axis), dtype=self.dtype),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        return self.evaluate([x.values for x in inputs])


@dataclass(frozen=True)
class ArgMax(ArgReduction):
    kind = "arg_max"
    function = np.argmax


@dataclass(frozen=True)
class ArgMin(ArgReduction):
    kind = "arg_min"
    function = np.argmin


@dataclass(frozen=True)
class CumSum(Operator):
    """Running sum along ``axis``."""

    kind = "cumsum"
    integer_dtypes = FLOAT_ONLY

    axis: int = 0

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape, x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.cumsum(x, axis=self.axis, dtype=x.dtype),)
