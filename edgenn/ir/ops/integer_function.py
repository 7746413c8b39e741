"""Functions of one real number that LiteRT's integer kernels look up in a table.

int8: one entry for each of the 256 stored values. int16: 513 entries, interpolated linearly.
The kernels fill tables in float32 with the C library's functions. ``nearest_float32`` gives the
correctly rounded value, which is what these functions return (glibc from 2.41 on promises it)
but for errors in the last bit; a table entry then differs, by one step, only where such an error
crosses a rounding boundary.

Source: LiteRT ``kernels/internal/common.h``, ``LUTPopulateInt8``.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.fixed_point import round_half_away
from edgenn.ir.lookup_table import int16_table, lookup_int16
from edgenn.ir.operator import IntegerInput
from edgenn.ir.special import erfc
from edgenn.ir.tensor import INTEGER_RANGES, Array, Tensor

Floats = NDArray[np.float32]
Function = Callable[[Array], Array]
"""float32 real numbers in, float32 real numbers out."""


def nearest_float32(function: Callable[[Array], Array]) -> Function:
    """``function`` computed in float64 and rounded to float32."""

    def rounded(x: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.asarray(function(x.astype(np.float64)), np.float32)

    return rounded


exp32 = nearest_float32(np.exp)
log32 = nearest_float32(np.log)
expm1_32 = nearest_float32(np.expm1)
tanh32 = nearest_float32(np.tanh)
erfc32 = nearest_float32(erfc)


def logistic(x: Array) -> Array:
    return np.float32(1) / (np.float32(1) + exp32(-x))


def elu(x: Array) -> Array:
    return np.where(x < 0, expm1_32(np.minimum(x, 0)), x)


def gelu(x: Array) -> Array:
    return np.float32(0.5) * x * erfc32(x * np.float32(-np.sqrt(0.5)))


def gelu_approximate(x: Array) -> Array:
    inner = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x * x * x)
    return np.float32(0.5) * x * (np.float32(1) + tanh32(inner))


def log_or(bottom: np.float32) -> Function:
    """Natural logarithm; ``bottom`` where it is not defined."""

    def function(x: Array) -> Array:
        return np.where(x > 0, log32(np.where(x > 0, x, 1)), bottom)

    return function


def inverse_square_root_or(top: np.float32) -> Function:
    """``1 / sqrt(x)``; ``top`` where it is not defined."""

    def function(x: Array) -> Array:
        return np.where(x > 0, np.float32(1) / np.sqrt(np.where(x > 0, x, 1)), top)

    return function


def real_range(output: Tensor) -> tuple[np.float32, np.float32]:
    """The lowest and the highest real number that ``output`` can hold."""
    assert output.quantization is not None
    scale, zero_point = output.quantization.scale[0], int(output.quantization.zero_point[0])
    low, high = INTEGER_RANGES[output.dtype]
    return np.float32(low - zero_point) * scale, np.float32(high - zero_point) * scale


def look_up(x: IntegerInput, output: Tensor, function: Function) -> Array:
    """``function`` of every stored value, by table."""
    assert output.quantization is not None
    scale, zero_point = output.quantization.scale[0], int(output.quantization.zero_point[0])
    if output.dtype == "int8":
        entries = int8_table(function, np.float32(x.scale), x.zero_point, scale, zero_point)
        return entries[x.values.astype(np.int64) + 128]
    table = int16_table(function, x.scale, x.zero_point, float(scale), zero_point)
    return lookup_int16(x.values, table).astype(np.int16)


def int8_table(
    function: Function,
    input_scale: np.float32,
    input_zero_point: int,
    output_scale: np.float32,
    output_zero_point: int,
) -> NDArray[np.int8]:
    """The stored outputs of the stored inputs -128 … 127."""
    low, high = INTEGER_RANGES["int8"]
    steps = (np.arange(low, high + 1) - input_zero_point).astype(np.float32)
    with np.errstate(over="ignore"):
        scaled = function(input_scale * steps) * (np.float32(1) / output_scale)
    stored = round_half_away(scaled) + np.float32(output_zero_point)
    table: NDArray[np.int8] = np.clip(stored, low, high).astype(np.int8)
    return table
