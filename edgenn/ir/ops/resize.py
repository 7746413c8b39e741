"""Resizing of NHWC images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgenn.ir.fixed_point import Ints, round_half_away
from edgenn.ir.operator import IntegerInput, Operator, OutputRule, TensorType
from edgenn.ir.ops.convolution import require_rank
from edgenn.ir.ops.moving import Mover
from edgenn.ir.tensor import Array, Tensor, along


@dataclass(frozen=True)
class Resize(Operator):
    """Input ``(N, H, W, C)``, output ``(N, *size, C)``."""

    output_rule = OutputRule.SAME_AS_INPUT
    evaluates_uint8 = True

    size: tuple[int, int] = (1, 1)
    align_corners: bool = False
    half_pixel_centers: bool = True

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require_rank(x, 4, "input")
        return (TensorType((x.shape[0], *self.size, x.shape[3]), x.dtype),)

    def ratio(self, size_in: int, size_out: int) -> np.float32:
        """Input pixels for one output pixel."""
        if self.align_corners and size_out > 1:
            return np.float32(size_in - 1) / np.float32(size_out - 1)
        return np.float32(size_in) / np.float32(size_out)


@dataclass(frozen=True)
class ResizeNearest(Mover, Resize):
    """The nearest input pixel."""

    kind = "resize_nearest"

    def nearest(self, size_in: int, size_out: int) -> Array:
        """For each output position the input position whose value it takes."""
        center = np.float32(0.5 if self.half_pixel_centers else 0)
        # float32 as in the kernel: a position may lie on a border between two pixels
        scaled = (np.arange(size_out, dtype=np.float32) + center) * self.ratio(size_in, size_out)
        position = round_half_away(scaled) if self.align_corners else np.floor(scaled)
        return np.clip(position, 0, size_in - 1).astype(np.int64)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        rows = self.nearest(x.shape[1], self.size[0])
        columns = self.nearest(x.shape[2], self.size[1])
        return (x[:, rows][:, :, columns],)


@dataclass(frozen=True)
class ResizeBilinear(Resize):
    """Linear interpolation between the four nearest input pixels."""

    kind = "resize_bilinear"

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        for axis, size in zip((1, 2), self.size, strict=True):
            low, high, weight = self.neighbours(x.shape[axis], size)
            weight = along(weight, axis, 4).astype(x.dtype)
            x = np.take(x, low, axis) * (1 - weight) + np.take(x, high, axis) * weight
        return (x,)

    def neighbours(self, size_in: int, size_out: int) -> tuple[Ints, Ints, Array]:
        """Two input positions for each output position, and the weight of the second."""
        index = np.arange(size_out, dtype=np.float32)
        if self.half_pixel_centers:
            half = np.float32(0.5)
            position = (index + half) * self.ratio(size_in, size_out) - half
        else:
            position = index * self.ratio(size_in, size_out)
        low = np.maximum(np.floor(position), 0).astype(np.int64)
        high = np.minimum(np.ceil(position), size_in - 1).astype(np.int64)
        return low, high, position - low.astype(np.float32)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        total = x.values.astype(np.int64)
        for axis, size in zip((1, 2), self.size, strict=True):
            low, high, weight = self.neighbours_in_10_bits(total.shape[axis], size)
            weight = along(weight, axis, 4)
            first = np.take(total, low, axis) * ((1 << 10) - weight)
            total = first + np.take(total, high, axis) * weight
        # C divides toward zero: nearest, ties away from zero
        magnitude = (np.abs(total) + (1 << 19)) >> 20
        return ((np.sign(total) * magnitude).astype(x.values.dtype),)

    def neighbours_in_10_bits(self, size_in: int, size_out: int) -> tuple[Ints, Ints, Ints]:
        """``neighbours`` with weights in 1/1024, as LiteRT's integer kernel computes them.

        Source: LiteRT ``kernels/internal/reference/resize_bilinear.h``.
        """
        sizes = (size_in, size_out)
        if self.align_corners and size_out > 1:
            sizes = (size_in - 1, size_out - 1)
        ratio = ((1 << 10) * sizes[0] + sizes[1] // 2) // sizes[1]
        position = np.arange(size_out, dtype=np.int64) * ratio
        if self.half_pixel_centers:
            position = position + ratio // 2 - (1 << 9)
        low = np.maximum(position >> 10, 0)
        high = np.minimum((position + (1 << 10) - 1) >> 10, size_in - 1)
        return low, high, position - (low << 10)
