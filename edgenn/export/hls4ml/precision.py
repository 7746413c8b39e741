"""Which fixed-point type hls4ml is to give each part of a layer.

Values are rounded to the nearest step and saturate. hls4ml's own default cuts bits off and wraps
around: a bias of half a step in each layer, and nonsense where a value passes the range.
"""

import math
from dataclasses import dataclass

import numpy as np

from edgenn.ir.fixed_format import FixedFormat
from edgenn.ir.tensor import Array


def type_of(form: FixedFormat) -> str:
    """As C++ has it (AMD UG1399, ``ap_fixed``)."""
    return f"ap_fixed<{form.width},{form.integer},AP_RND,AP_SAT>"


def exact_type(form: FixedFormat) -> str:
    """For sums that neither round nor overflow: the adders need not look for it."""
    return f"ap_fixed<{form.width},{form.integer}>"


@dataclass(frozen=True)
class Product:
    """Weights on their grid, and a bias on the grid of the sums.

    Attributes:
        weight: Rounded, as they were shaped.
        bias: Rounded; ``None`` where there is none.
        weight_format: Of ``weight``.
        accumulator: Holds every product and every sum of them exactly.
    """

    weight: Array
    bias: Array | None
    weight_format: FixedFormat
    accumulator: FixedFormat

    @property
    def precision(self) -> dict[str, str]:
        return {
            "weight": exact_type(self.weight_format),
            "bias": exact_type(self.accumulator),
            "accum": exact_type(self.accumulator),
        }


def product(x: FixedFormat, weight: Array, bias: Array | None) -> Product:
    """The product of inputs in a format with constants.

    Args:
        x: Of the inputs.
        weight: ``(…, outputs)``; what is summed up lies along all axes but the last.
        bias: ``(outputs,)``.
    """
    form = FixedFormat.of(weight)
    rounded = form.round(weight)
    sums = np.abs(rounded).reshape(-1, weight.shape[-1]).sum(axis=0) * 2.0 ** (x.integer - 1)
    largest = float((sums + (0 if bias is None else np.abs(bias))).max())
    accumulator = accumulating(largest, x.fraction + form.fraction)
    return Product(rounded, None if bias is None else accumulator.round(bias), form, accumulator)


def accumulating(largest: float, fraction: int) -> FixedFormat:
    """The format of sums up to ``largest`` with so many bits behind the point."""
    integer = 2 + math.floor(math.log2(largest)) if largest > 0 else 1
    return FixedFormat(max(integer + fraction, 2), integer)
