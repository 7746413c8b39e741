"""Pooling over windows of NHWC images."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from edgenn.ir.operator import (
    Activation,
    IntegerInput,
    Operator,
    OutputRule,
    Padding,
    TensorType,
)
from edgenn.ir.ops.convolution import require_rank, spatial_sizes
from edgenn.ir.ops.integer import clamped
from edgenn.ir.ops.windows import padded, tap, window_shape
from edgenn.ir.tensor import Array, Tensor

Pair = tuple[int, int]


@dataclass(frozen=True)
class Pool2D(Operator):
    """What the pooling operators share. Input ``(N, H, W, C)``, output ``(N, H', W', C)``."""

    output_rule = OutputRule.SAME_AS_INPUT
    evaluates_uint8 = True

    size: Pair = (2, 2)
    strides: Pair = (2, 2)
    padding: Padding = Padding.VALID
    activation: Activation = Activation.NONE

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require_rank(x, 4, "input")
        sizes = spatial_sizes(x, self.size, self.strides, (1, 1), self.padding)
        return (TensorType((x.shape[0], *sizes, x.shape[3]), x.dtype),)

    def reduced(self, x: Array, function: np.ufunc, fill: float) -> Array:
        """The values under each window, folded by ``function``; padding holds ``fill``."""
        output = window_shape(x, self.size, self.strides, (1, 1), self.padding)
        x = padded(x, self.size, self.strides, (1, 1), self.padding, fill)
        taps = (
            tap(x, i, j, output, self.strides, (1, 1))
            for i in range(self.size[0])
            for j in range(self.size[1])
        )
        return reduce(function, taps)


@dataclass(frozen=True)
class MaxPool2D(Pool2D):
    """The largest value under each window."""

    kind = "max_pool_2d"

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        return (self.activation.apply(self.reduced(x, np.maximum, lowest)),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        (output,) = outputs
        lowest = np.iinfo(x.values.dtype).min
        return (clamped(self.reduced(x.values, np.maximum, lowest), output, self.activation),)


@dataclass(frozen=True)
class AveragePool2D(Pool2D):
    """The mean of the values under each window; padding does not count."""

    kind = "average_pool_2d"

    def counts(self, x: Array) -> Array:
        """How many real values each window covers: ``(1, H', W', 1)``."""
        return self.reduced(np.ones((1, *x.shape[1:3], 1), x.dtype), np.add, 0)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (self.activation.apply(self.reduced(x, np.add, 0) / self.counts(x)),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        (output,) = outputs
        values = x.values.astype(np.int64)
        sums, counts = self.reduced(values, np.add, 0), self.counts(values)
        # the mean of stored integers, zero point and all; nearest, ties away from zero
        means = np.sign(sums) * ((np.abs(sums) + counts // 2) // counts)
        return (clamped(means, output, self.activation),)
