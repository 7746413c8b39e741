"""Products of real activations and int8 weights, as LiteRT's hybrid kernels compute them.

Each row of activations (in convolutions: each sample) is put on a grid of its own, 8 bits wide,
and integers are multiplied. Sources: LiteRT ``kernels/fully_connected.cc``, ``conv.cc``,
``depthwise_conv.cc`` (``EvalHybrid…``) and
``kernels/internal/reference/portable_tensor_utils.cc`` (``PortableAsymmetricQuantizeFloats``,
``PortableSymmetricQuantizeFloats``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.fixed_point import round_half_away
from edgenn.ir.operator import InputRounding, IntegerInput
from edgenn.ir.tensor import INTEGER_RANGES, Array

LOW, HIGH = INTEGER_RANGES["int8"]


@dataclass(frozen=True)
class Rows:
    """Rows of activations, each on a grid of its own: ``scales * steps``.

    Attributes:
        steps: Whole numbers, ``(rows, n)``, as float64.
        scales: ``(rows, 1)``.
    """

    steps: NDArray[np.float64]
    scales: NDArray[np.float32]


def rounded(x: Array, rounding: InputRounding) -> Rows:
    """``x`` ``(rows, n)`` float32 as whole steps."""
    if rounding is InputRounding.SYMMETRIC:
        return _symmetric(x)
    return _asymmetric(x)


def _symmetric(x: Array) -> Rows:
    reach = np.abs(x).max(axis=1, keepdims=True, initial=0)
    empty = reach == 0
    safe = np.where(empty, np.float32(1), reach)
    steps = round_half_away(x * (np.float32(HIGH) / safe))
    scales = np.where(empty, np.float32(1), safe / np.float32(HIGH))
    return Rows(np.clip(steps, -HIGH, HIGH).astype(np.float64), scales.astype(np.float32))


def _asymmetric(x: Array) -> Rows:
    """The kernel rounds steps of a float32 scale, and the zero point by one of float64."""
    least = np.minimum(x.min(axis=1, keepdims=True, initial=0), np.float32(0))
    most = np.maximum(x.max(axis=1, keepdims=True, initial=0), np.float32(0))
    scales = np.where(least == most, np.float32(1), (most - least) / np.float32(HIGH - LOW))
    zero_points = _zero_points(least.astype(np.float64), most.astype(np.float64))
    steps = round_half_away(x * (np.float32(1) / scales))
    steps = np.clip(steps, LOW - zero_points, HIGH - zero_points)
    return Rows(steps.astype(np.float64), scales)


def _zero_points(least: NDArray[np.float64], most: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where 0 lies, counted from the end whose own rounding is smaller."""
    scales = np.where(least == most, 1.0, (most - least) / (HIGH - LOW))
    from_low, from_high = LOW - least / scales, HIGH - most / scales
    nearer_low = abs(LOW) + np.abs(least / scales) < abs(HIGH) + np.abs(most / scales)
    exact = np.where(nearer_low, from_low, from_high)
    return np.where(least == most, 0, np.clip(round_half_away(exact), LOW, HIGH))


def product(rows: Rows, weights: IntegerInput) -> NDArray[np.float32]:
    """``(rows, n)`` times int8 weights ``(m, n)``, transposed: ``(rows, m)``."""
    assert weights.quantization is not None
    sums = rows.steps @ weights.values.astype(np.float64).T
    result: NDArray[np.float32] = sums.astype(np.float32) * (
        rows.scales * weights.quantization.scale
    )
    return result
