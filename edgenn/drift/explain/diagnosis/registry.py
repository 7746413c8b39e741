"""The causes that a wrong layer is examined for."""

from collections.abc import Callable
from typing import Final

from edgenn.drift.explain.diagnosis import bias, ranges, structure, weights, zero_point
from edgenn.drift.explain.diagnosis.case import Case

Cause = Callable[[Case], str | None]

CAUSES: Final[tuple[Cause, ...]] = (
    weights.zero_channels,
    weights.scaled,
    weights.turned,
    weights.gates_in_another_order,
    weights.other_weights,
    structure.padding,
    structure.attributes,
    structure.activation,
    zero_point.shifted,
    bias.missing_bias,
    bias.wrong_bias,
    ranges.saturated,
    ranges.unused,
)
"""The surest first: the first that is found is the one that a report names."""


def diagnose(case: Case) -> tuple[str, ...]:
    """Every cause that is found, each a sentence."""
    found = (examine(case) for examine in CAUSES)
    return tuple(sentence for sentence in found if sentence)
