"""Matrix products."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from edgenn.ir.fixed_point import round_half_away
from edgenn.ir.operator import Activation, Hybrid, IntegerInput, Operator, ShapeError, TensorType
from edgenn.ir.ops.broadcasting import broadcast_shapes
from edgenn.ir.ops.convolution import output_macs
from edgenn.ir.ops.hybrid import product, rounded
from edgenn.ir.ops.integer import accumulator_ratio, centered, requantize, stored, with_bias
from edgenn.ir.tensor import Array, Tensor


@dataclass(frozen=True)
class FullyConnected(Hybrid):
    """A dense layer over the last axis.

    Inputs: x ``(…, I)``; weights ``(O, I)``; optional bias ``(O,)``. Output: ``(…, O)``.
    """

    kind = "fully_connected"
    weight_axes = {1: 0}
    bias_input = 2
    data_inputs = (0,)
    evaluates_uint8 = True

    activation: Activation = Activation.NONE

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, weights = inputs[:2]
        if weights.rank != 2 or x.shape[-1] not in (None, weights.shape[1]):
            raise ShapeError(f"weights {weights.shape} do not fit input {x.shape}")
        return (TensorType((*x.shape[:-1], weights.shape[0]), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        x, weights, *bias = inputs
        y = x @ weights.T
        return (self.activation.apply(y + bias[0] if bias else y),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        x, weights, *bias = inputs
        (output,) = outputs
        sums = with_bias(centered(x) @ centered(weights).T, bias)
        ratio = accumulator_ratio(x, weights, output)
        if output.dtype == "uint8":
            return (requantize(sums, ratio, output, self.activation),)
        # unlike the convolutions', LiteRT's reference kernel rescales in float64
        steps = round_half_away(sums * ratio).astype(np.int64)
        return (stored(steps, output, self.activation),)

    def evaluate_hybrid(self, inputs: Sequence[IntegerInput]) -> tuple[Array, ...]:
        x, weights, *bias = inputs
        rows = rounded(x.values.reshape(-1, x.values.shape[-1]), self.input_rounding)
        y = product(rows, weights).reshape(*x.values.shape[:-1], -1)
        return (self.activation.apply(bias[0].values + y if bias else y),)

    def macs(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        return output_macs(outputs[0], inputs[1].shape[1] or 1)


@dataclass(frozen=True)
class BatchMatMul(Operator):
    """Matrix product of two tensors over their last two axes; leading axes broadcast."""

    kind = "batch_matmul"

    transpose_a: bool = False
    transpose_b: bool = False

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        a, b = inputs
        if a.rank < 2 or b.rank < 2:
            raise ShapeError(f"{a.shape} @ {b.shape}: both need at least two dimensions")
        rows, inner_a = a.shape[-2:][:: -1 if self.transpose_a else 1]
        inner_b, columns = b.shape[-2:][:: -1 if self.transpose_b else 1]
        if None not in (inner_a, inner_b) and inner_a != inner_b:
            raise ShapeError(f"{a.shape} @ {b.shape}: inner sizes differ")
        batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return (TensorType((*batch, rows, columns), a.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        a, b = inputs
        a = np.swapaxes(a, -1, -2) if self.transpose_a else a
        b = np.swapaxes(b, -1, -2) if self.transpose_b else b
        return (a @ b,)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        a, b = inputs
        (output,) = outputs
        assert output.quantization is not None
        (sums,) = self.evaluate([centered(a), centered(b)])
        # the kernel multiplies the two input scales in float32
        product = np.float32(a.scale) * np.float32(b.scale)
        ratio = np.float64(product) / output.quantization.scale.astype(np.float64)
        return (requantize(sums, ratio, output, Activation.NONE),)

    def macs(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        inner = inputs[0].shape[-2 if self.transpose_a else -1] or 1
        return prod(size or 1 for size in outputs[0].shape[1:]) * inner
