"""Resizing of NHWC images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgenn.ir.operator import Operator, OutputRule, TensorType
from edgenn.ir.ops.convolution import require_rank
from edgenn.ir.tensor import Array, Tensor


@dataclass(frozen=True)
class Resize(Operator):
    """Input ``(N, H, W, C)``, output ``(N, *size, C)``."""

    output_rule = OutputRule.SAME_AS_INPUT

    size: tuple[int, int] = (1, 1)
    align_corners: bool = False
    half_pixel_centers: bool = True

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        require_rank(x, 4, "input")
        return (TensorType((x.shape[0], *self.size, x.shape[3]), x.dtype),)

    def source_positions(self, size_in: int, size_out: int) -> Array:
        """Where each output position lies in the input, float32, before clamping."""
        scale = np.float32(size_in) / np.float32(size_out)
        if self.align_corners and size_out > 1:
            scale = np.float32(size_in - 1) / np.float32(size_out - 1)
        index = np.arange(size_out, dtype=np.float32)
        if self.half_pixel_centers:
            return (index + np.float32(0.5)) * scale - np.float32(0.5)
        return index * scale


@dataclass(frozen=True)
class ResizeNearest(Resize):
    """The nearest input pixel."""

    kind = "resize_nearest"

    def nearest(self, size_in: int, size_out: int) -> Array:
        position = self.source_positions(size_in, size_out)
        if self.half_pixel_centers:
            position = position + np.float32(0.5)
        position = np.round(position) if self.align_corners else np.floor(position)
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
            limit = x.shape[axis]
            position = self.source_positions(limit, size)
            lower = np.floor(position)
            weight = (position - lower).astype(x.dtype)
            low = np.clip(lower, 0, limit - 1).astype(np.int64)
            high = np.clip(lower + 1, 0, limit - 1).astype(np.int64)
            shape = [1] * x.ndim
            shape[axis] = size
            weight = weight.reshape(shape)
            x = np.take(x, low, axis) * (1 - weight) + np.take(x, high, axis) * weight
        return (x,)
