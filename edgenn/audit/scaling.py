"""Whether two sets of samples are on the same scale."""

from typing import Final

from edgenn.audit.words import number, span
from edgenn.quantization.parameters import Range

FACTOR: Final = 10.0
"""Data that go so many times farther from 0 than others are hardly of the same scale."""
ALIKE: Final = 3.0
"""Below that, the difference between data with and without negative numbers is no matter of size:
0..255 and -128..127 are a factor of 2 apart."""
HALF: Final = 0.5
SLIGHT: Final = 0.05
REMEDY: Final = "scale both as the model was trained: one of them is probably not"
ENOUGH: Final = 8
"""Samples from which on it means something that none of their values is negative."""


def scale_words(name: str, calibration: Range, data: Range, samples: int) -> str | None:
    """What is wrong with the scale of an input's data against the calibration data, if anything.

    Args:
        samples: How many there are of the set that has fewer.
    """
    a, b = reach(calibration), reach(data)
    if 0 in (a, b):
        return None
    spans = (
        f"the values of {name!r} go from {span(data)},"
        f" in the calibration data from {span(calibration)}"
    )
    factor = max(a, b) / min(a, b)
    if factor >= FACTOR:
        which = "farther" if b > a else "less far"
        return f"{spans}: {number(factor)} times {which}"
    signed = [is_signed(calibration), is_signed(data)]
    positive = [is_positive(calibration), is_positive(data)]
    if factor < ALIKE and samples >= ENOUGH and any(signed) and any(positive):
        return f"{spans}: only one of them reaches below 0"
    return None


def reach(range_: Range) -> float:
    """How far it goes from 0."""
    return max(abs(range_.low), abs(range_.high))


def is_signed(range_: Range) -> bool:
    return range_.high > 0 and -range_.low >= HALF * range_.high


def is_positive(range_: Range) -> bool:
    return range_.high > 0 and -range_.low <= SLIGHT * range_.high
