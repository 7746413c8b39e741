"""Convolutions over NHWC images; 1-D convolutions are 2-D ones of height 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from edgenn.ir.operator import (
    Activation,
    Hybrid,
    IntegerInput,
    Padding,
    ShapeError,
    TensorType,
)
from edgenn.ir.ops.geometry import output_size
from edgenn.ir.ops.hybrid import rounded
from edgenn.ir.ops.integer import accumulator_ratio, centered, requantize, with_bias
from edgenn.ir.ops.windows import convolve, depthwise_convolve, transposed_convolve
from edgenn.ir.tensor import Array, Tensor

Pair = tuple[int, int]


def spatial_sizes(
    x: Tensor, kernel: Pair, strides: Pair, dilations: Pair, padding: Padding
) -> tuple[int | None, int | None]:
    height, width = (
        output_size(size, k, s, d, padding)
        for size, k, s, d in zip(x.shape[1:3], kernel, strides, dilations, strict=True)
    )
    return height, width


def output_macs(output: Tensor, per_element: int) -> int:
    """MACs of one sample: elements of ``output`` without its batch × ``per_element``."""
    return prod(size or 1 for size in output.shape[1:]) * per_element


def require_rank(tensor: Tensor, rank: int, what: str) -> None:
    if tensor.rank != rank:
        raise ShapeError(f"{what} {tensor.name!r} has shape {tensor.shape}, not {rank}-D")


@dataclass(frozen=True)
class Convolution(Hybrid):
    """What the convolutions share: quantisation rules, bias, activation, integer evaluation.

    Inputs: x, kernel and optionally a bias; subclasses sum the products in ``convolve``.
    """

    bias_input = 2
    data_inputs = (0,)
    evaluates_uint8 = True

    strides: Pair = (1, 1)
    padding: Padding = Padding.VALID
    activation: Activation = Activation.NONE

    def convolve(self, x: Array, kernel: Array) -> Array:
        """The sums of products, in the arrays' dtype."""
        raise NotImplementedError

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        x, kernel, *bias = inputs
        y = self.convolve(x, kernel)
        return (self.activation.apply(y + bias[0] if bias else y),)

    def evaluate_hybrid(self, inputs: Sequence[IntegerInput]) -> tuple[Array, ...]:
        """Each sample on a grid of its own; padding stands for 0."""
        x, kernel, *bias = inputs
        assert kernel.quantization is not None
        samples = rounded(x.values.reshape(len(x.values), -1), self.input_rounding)
        steps = samples.steps.reshape(x.values.shape)
        sums = self.convolve(steps, kernel.values.astype(np.float64)).astype(np.float32)
        y = sums * kernel.quantization.scale * samples.scales[:, :, np.newaxis, np.newaxis]
        return (self.activation.apply(y + bias[0].values if bias else y),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        x, kernel, *bias = inputs
        (output,) = outputs
        sums = with_bias(self.convolve(centered(x), centered(kernel)), bias)
        ratio = accumulator_ratio(x, kernel, output)
        return (requantize(sums, ratio, output, self.activation),)


@dataclass(frozen=True)
class Conv2D(Convolution):
    """2-D convolution.

    Inputs: x ``(N, H, W, I)``; kernel ``(O, kh, kw, I / groups)``; optional bias ``(O,)``.
    Output: ``(N, H', W', O)``.
    """

    kind = "conv_2d"
    weight_axes = {1: 0}

    dilations: Pair = (1, 1)
    groups: int = 1

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, kernel = inputs[:2]
        require_rank(x, 4, "input")
        require_rank(kernel, 4, "kernel")
        channels, kh, kw, depth = kernel.shape
        assert kh is not None and kw is not None
        if x.shape[3] is not None and depth is not None and x.shape[3] != depth * self.groups:
            raise ShapeError(f"kernel {kernel.shape} does not fit input {x.shape}")
        sizes = spatial_sizes(x, (kh, kw), self.strides, self.dilations, self.padding)
        return (TensorType((x.shape[0], *sizes, channels), x.dtype),)

    def convolve(self, x: Array, kernel: Array) -> Array:
        return convolve(x, kernel, self.strides, self.dilations, self.padding, self.groups)

    def macs(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        return output_macs(outputs[0], prod(size or 1 for size in inputs[1].shape[1:]))


@dataclass(frozen=True)
class DepthwiseConv2D(Convolution):
    """2-D convolution of each channel on its own.

    Inputs: x ``(N, H, W, C)``; kernel ``(1, kh, kw, C × multiplier)``; optional bias.
    Output: ``(N, H', W', C × multiplier)``; output channel ``c * multiplier + m``.
    """

    kind = "depthwise_conv_2d"
    weight_axes = {1: 3}

    dilations: Pair = (1, 1)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, kernel = inputs[:2]
        require_rank(x, 4, "input")
        require_rank(kernel, 4, "kernel")
        _, kh, kw, channels = kernel.shape
        assert kh is not None and kw is not None and channels is not None
        if x.shape[3] is not None and channels % x.shape[3]:
            raise ShapeError(f"kernel {kernel.shape} does not fit input {x.shape}")
        sizes = spatial_sizes(x, (kh, kw), self.strides, self.dilations, self.padding)
        return (TensorType((x.shape[0], *sizes, channels), x.dtype),)

    def convolve(self, x: Array, kernel: Array) -> Array:
        return depthwise_convolve(x, kernel, self.strides, self.dilations, self.padding)

    def macs(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        return output_macs(outputs[0], prod(size or 1 for size in inputs[1].shape[1:3]))


@dataclass(frozen=True)
class TransposeConv2D(Convolution):
    """The gradient of a 2-D convolution with respect to its input.

    Inputs: x ``(N, H, W, I)``; kernel ``(O, kh, kw, I)``; optional bias ``(O,)``.
    Output: ``(N, *output_size, O)``; padding is that of the convolution it reverses.
    """

    kind = "transpose_conv_2d"
    weight_axes = {1: 0}

    output_size: tuple[int | None, int | None] = (None, None)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, kernel = inputs[:2]
        require_rank(x, 4, "input")
        require_rank(kernel, 4, "kernel")
        if kernel.shape[3] != x.shape[3]:
            raise ShapeError(f"kernel {kernel.shape} does not fit input {x.shape}")
        return (TensorType((x.shape[0], *self.output_size, kernel.shape[0]), x.dtype),)

    def convolve(self, x: Array, kernel: Array) -> Array:
        height, width = self.output_size
        assert height is not None and width is not None
        return transposed_convolve(x, kernel, (height, width), self.strides, self.padding)

    def macs(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        x, kernel = inputs[:2]
        return output_macs(x, int(np.prod([size or 1 for size in kernel.shape[:3]])))
