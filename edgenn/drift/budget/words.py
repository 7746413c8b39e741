"""Verdicts in words."""

import math

from edgenn.drift.metrics import METRICS, Value


def number_text(metric: str, value: Value, digits: int = 3) -> str:
    """A value with its unit: ``97.71 %``, ``31.2 dB``, ``0.00123``.

    Args:
        digits: That count; shares have one more, whose steps are a sample of thousands.
    """
    if value is None:
        return "no value"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    unit = METRICS[metric].unit
    if unit == "%":
        return f"{100 * value:.{digits + 1}g} %"
    return f"{value:.{digits}g} {unit}".rstrip()


def value_text(name: str, value: Value) -> str:
    """A value of a metric, or of a number of a layer, which has no unit."""
    if name in METRICS or value is None:
        return number_text(name, value)
    return f"{value:.3g}"


def share_text(share: float) -> str:
    """``99 %``."""
    return f"{100 * share:.4g} %"


def bound_text(metric: str, limit: float) -> str:
    """``accuracy ≥ 97.71 %``."""
    sign = "≥" if METRICS[metric].better == "higher" else "≤"
    return f"{metric} {sign} {number_text(metric, limit)}"


def difference_text(metric: str, difference: float, half: float | None) -> str:
    """``worse by 0.3 % ± 0.5 %``: of a value and the one that it is held against.

    Args:
        difference: Above 0, whichever direction is better.
        half: Of the 95 % interval.
    """
    text = f"worse by {number_text(metric, difference, digits=2)}"
    return text if half is None else f"{text} ± {number_text(metric, half, digits=1)}"
