"""Grids that do not fit what a layer computes."""

from typing import Final

from edgenn.drift.explain.diagnosis.case import Case
from edgenn.drift.explain.excess import LIMIT

OTHER_DATA: Final = "the calibration data do not look like these"


def saturated(case: Case) -> str | None:
    """Values beyond the grid."""
    if case.statistics["saturation"] < LIMIT:
        return None
    entry, sums, grid = max(
        (t for t in case.layer.tensors if t[0].actual in case.layer.holding),
        key=lambda t: float(t[1]["beyond"].sum()) / max(t[1].count, 1) / len(t[1]["own²"]),
    )
    share = sums["beyond"].sum() / max(sums.count * len(sums["own²"]), 1)
    low, high = grid.limits
    return (
        f"{share:.0%} of the values of {entry.name} lie beyond {low:.3g} … {high:.3g}, which is "
        f"all that its integers hold (Keras has {sums.low:.3g} … {sums.high:.3g}): {OTHER_DATA}"
    )


def unused(case: Case) -> str | None:
    """A grid far wider than the values."""
    if case.statistics["unused range"] < LIMIT:
        return None
    for entry, sums, grid in case.layer.tensors:
        low, high = grid.limits
        used = max(sums.high, 0.0) - min(sums.low, 0.0)
        if entry.actual in case.layer.own_grid and used > 0 and grid.is_integer:
            return (
                f"{entry.name} uses {used / (high - low):.1%} of its range {low:.3g} … {high:.3g}: "
                f"{OTHER_DATA}"
            )
    return None
