"""Softmax, in float and in the two integer algorithms of TFLite.

LiteRT 2.3's int8 reference kernel aborts the process where the exponentials (1 for the largest)
sum to 512 or more: more than 511 classes, nearly equal. Its optimised kernels do not; here the
same arithmetic goes on, and every such output is stored as -128.

Source of the integer ones: LiteRT ``kernels/internal/reference/softmax.h``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.fixed_point import (
    Ints,
    count_leading_zeros,
    exp_on_negative_values,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    reciprocal,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)
from edgenn.ir.lookup_table import int16_table, lookup_int16
from edgenn.ir.operator import IntegerInput
from edgenn.ir.ops.activation import UNIT_RANGE
from edgenn.ir.ops.elementwise import Unary
from edgenn.ir.tensor import Array, Tensor

DIFFERENCE_BITS = 5
"""int8: differences to the maximum are Q5.26; exp(-32) is 0 for every purpose."""
SUM_BITS = 12
"""int8: the sum of exponentials is Q12.19."""


@dataclass(frozen=True)
class Softmax(Unary):
    """Softmax over the last axis of ``beta * x``."""

    kind = "softmax"
    output_rule = UNIT_RANGE
    evaluates_uint8 = True

    beta: float = 1.0

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        exponentials = np.exp(self.beta * (x - x.max(axis=-1, keepdims=True)))
        return ((exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(x.dtype),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        values = x.values.astype(np.int64)
        differences = values - values.max(axis=-1, keepdims=True)
        beta = float(np.float32(self.beta))
        if outputs[0].dtype == "int16":
            return (softmax_int16(differences, x.scale, beta),)
        result = softmax_int8(differences, x.scale, beta)
        if outputs[0].dtype == "uint8":
            return ((result.astype(np.int16) + 128).astype(np.uint8),)
        return (result,)


def softmax_int8(differences: Ints, scale: float, beta: float) -> Array:
    """Softmax of ``beta * scale * differences`` with scale 1/256 and zero point -128.

    Args:
        differences: Stored integers minus their maximum along the last axis.
    """
    multiplier, left_shift = quantize_multiplier(
        min(beta * scale * (1 << (31 - DIFFERENCE_BITS)), 2.0**31 - 1)
    )
    # differences beyond the radius would overflow Q5.26, and count as exp() = 0
    radius = (2**DIFFERENCE_BITS - 1) * 2 ** (31 - DIFFERENCE_BITS) // 2 ** int(left_shift)
    counts = differences >= -radius
    scaled = saturating_rounding_doubling_high_mul(
        np.where(counts, differences, 0) << left_shift, multiplier
    )
    exponentials = np.where(counts, exp_on_negative_values(scaled, DIFFERENCE_BITS), 0)
    sums = rounding_divide_by_pot(exponentials, SUM_BITS).sum(axis=-1, keepdims=True)
    factor, bits_over_unit = reciprocal(sums, SUM_BITS)
    products = saturating_rounding_doubling_high_mul(exponentials, factor)
    steps = rounding_divide_by_pot(products, bits_over_unit + 31 - 8)
    return np.asarray(np.clip(np.where(counts, steps - 128, -128), -128, 127), np.int8)


@cache
def _tables() -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """``exp`` over [-10, 0] and ``1 / (1 + x)`` over [0, 1], both in Q0.15."""
    levels = 65535
    exponential = int16_table(np.exp, 10 / levels, 32767, 2 / levels, 0, np.float64)
    inverse = int16_table(lambda x: 1 / (1 + x), 1 / levels, -32768, 2 / levels, 0, np.float64)
    return exponential, inverse


def softmax_int16(differences: Ints, scale: float, beta: float) -> Array:
    """Softmax of ``beta * scale * differences`` with scale 1/32768 and zero point 0."""
    exponential, inverse = _tables()
    # [-10, 0] becomes [-65535, 0]; smaller exponentials are not told from exp(-10)
    ratio = np.float64(np.float32(scale) * np.float32(beta)) / (10 / 65535)
    scaled = multiply_by_quantized_multiplier(differences, *quantize_multiplier(ratio))
    exponentials = lookup_int16(np.clip(scaled + 32767, -32768, 32767), exponential)
    sums = exponentials.sum(axis=-1, keepdims=True)  # Q16.15
    headroom = count_leading_zeros(sums)
    normalized = ((sums << (headroom - 1)) + (1 << 13)) >> 14  # the sum as 1 + x, x in Q0.16
    fraction = np.clip(normalized - ((1 << 15) + (1 << 16)), -32768, 32767)
    factor = lookup_int16(fraction, inverse)
    shift = 31 - headroom
    steps = (exponentials * factor + (np.int64(1) << (shift - 1))) >> shift
    return np.asarray(np.clip(steps, 0, 32767), np.int16)
