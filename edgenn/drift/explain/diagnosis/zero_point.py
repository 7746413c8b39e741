"""Values that are shifted on their way through an op."""

from typing import Final

from edgenn.drift.explain.diagnosis.case import Case

SHIFT: Final = 0.5
"""Mean error in steps that no rounding has."""


def shifted(case: Case) -> str | None:
    """An op whose result is off by a constant number of steps."""
    for entry, sums, _ in case.layer.ops:
        count = sums["values"].sum()
        mean = sums["steps"].sum() / max(count, 1.0)
        if count < 16 or abs(mean) < SHIFT:
            continue
        grid = case.artifact.tensors[entry.actual].quantization
        given = case.artifact.tensors[entry.op.inputs[0]].quantization
        words = f"{entry.op.kind} {entry.actual} shifts its values by {mean:+.2g} steps"
        if grid is None or given is None:
            return words
        points = int(given.zero_point[0]), int(grid.zero_point[0])
        return f"{words}: zero point {points[0]} before, {points[1]} behind it"
    return None
