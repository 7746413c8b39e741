"""Table lookup of int16 kernels: 512 linear pieces over the input's range.

Source: LiteRT ``kernels/internal/common.h``, ``LUTPopulate`` and ``LUTLookup`` for int16.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.fixed_point import Ints, round_half_away
from edgenn.ir.tensor import Array

STEPS = 512
_LOW, _HIGH = -32768, 32767


def int16_table(
    function: Callable[[Array], Array],
    input_scale: float,
    input_zero_point: int,
    output_scale: float,
    output_zero_point: int,
    dtype: type[np.floating[Any]] = np.float32,
) -> NDArray[np.int16]:
    """513 samples of ``function`` as stored output integers.

    Each sample but the last is moved by half the error that interpolation makes in the middle of
    its piece. ``dtype`` is the precision that the kernel builds its table in.
    """
    in_scale, out_scale = dtype(input_scale), dtype(output_scale)
    low = in_scale * dtype(_LOW - input_zero_point)
    high = in_scale * dtype(_HIGH - input_zero_point)
    out_low = out_scale * dtype(_LOW - output_zero_point)
    out_high = out_scale * dtype(_HIGH - output_zero_point)
    step = (high - low) / dtype(STEPS)
    per_unit = dtype(_HIGH - _LOW + 1) / (out_high - out_low)

    starts = low + np.arange(STEPS).astype(dtype) * step
    values = function(starts).astype(dtype)
    middles = function(starts + step / dtype(2)).astype(dtype)
    nexts = function(low + np.arange(1, STEPS + 1).astype(dtype) * step).astype(dtype)

    samples = round_half_away(values * per_unit)
    interpolated = round_half_away((nexts * per_unit + samples) / dtype(2))
    bias = round_half_away((interpolated - round_half_away(middles * per_unit)) / dtype(2))
    last = round_half_away(function(np.asarray([high], dtype)).astype(dtype) * per_unit)
    table = np.concatenate([samples - bias, last])
    clipped: NDArray[np.int16] = np.clip(table, _LOW, _HIGH).astype(np.int16)
    return clipped


def lookup_int16(values: Array, table: NDArray[np.int16]) -> Ints:
    """Interpolates ``table`` at int16 ``values``: 9 bits of index, 7 bits of offset."""
    values = values.astype(np.int64)
    index = 256 + (values >> 7)
    base = table[index].astype(np.int64)
    slope = (table[index + 1] - table[index]).astype(np.int64)  # wraps as in int16
    result: Ints = base + ((slope * (values & 0x7F) + 64) >> 7)
    return result
