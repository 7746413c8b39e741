"""Binary fixed point, as FPGAs compute in it: integers that stand for multiples of a power of two.

A format is written ``ap_fixed<width, integer>`` in AMD's arbitrary-precision types (UG1399):
``width`` bits in all, ``integer`` of them, the sign included, before the point. ``integer`` may be
negative or larger than ``width``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array

FORMATS: Final = "fixed_formats"
"""Key of ``Graph.metadata``: float tensor → the format that its range asks for."""

WIDTH: Final = 16
"""Bits of activations and weights."""

FEWEST_INTEGER_BITS: Final = -8
"""Of values that all but vanish: a finer step would only widen every sum they enter."""

UNKNOWN_INTEGER_BITS: Final = 6
"""Of activations whose range was not seen: ±32, hls4ml's own default."""


@dataclass(frozen=True)
class FixedFormat:
    """A signed fixed-point format.

    Attributes:
        width: Bits in all.
        integer: Bits before the point, the sign included.
    """

    width: int
    integer: int

    @classmethod
    def covering(cls, low: float, high: float, width: int = WIDTH) -> Self:
        """The finest format of ``width`` bits that holds a range.

        The upper end may saturate by one step: 1.0 is 0.99997 in 16 bits, and half the range
        would be a high price for it.
        """
        largest = max(-low, high)
        if largest <= 0:
            return cls(width, 1)
        return cls(width, max(FEWEST_INTEGER_BITS, 1 + math.ceil(math.log2(largest))))

    @classmethod
    def of(cls, values: Array, width: int = WIDTH) -> Self:
        """The finest format of ``width`` bits that holds an array."""
        return cls.covering(float(values.min(initial=0)), float(values.max(initial=0)), width)

    @property
    def fraction(self) -> int:
        """Bits behind the point."""
        return self.width - self.integer

    @property
    def step(self) -> float:
        return float(2.0**-self.fraction)

    def round(self, values: Array) -> NDArray[np.float64]:
        """The nearest numbers that the format has; what is outside saturates."""
        limit = 2.0 ** (self.width - 1)
        steps = np.clip(np.rint(np.asarray(values, np.float64) / self.step), -limit, limit - 1)
        return np.asarray(steps * self.step)


UNKNOWN: Final = FixedFormat(WIDTH, UNKNOWN_INTEGER_BITS)


def with_formats(graph: Graph, formats: Mapping[str, FixedFormat]) -> Graph:
    """The graph that says in which format each of its float tensors is held."""
    return graph.with_(metadata={**graph.metadata, FORMATS: dict(formats)})


def formats_of(graph: Graph) -> Mapping[str, FixedFormat]:
    """Tensor → format; empty where nothing was calibrated."""
    found: Mapping[str, FixedFormat] = graph.metadata.get(FORMATS, {})
    return found
