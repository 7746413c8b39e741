"""Numbers for people, short enough for a column."""

import math

from edgenn.drift.metrics import METRICS, Value


def metric_text(name: str, value: Value) -> str:
    """A metric's value as its column shows it; ``-`` where it has none."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞"
    if METRICS[name].unit == "%":
        return f"{100 * value:.1f}"
    if METRICS[name].unit == "dB":
        return f"{value:.1f}"
    return cosine_text(value) if name == "cosine" else magnitude_text(value)


def magnitude_text(value: float) -> str:
    """Three significant digits, ``1.2e-05`` where that is shorter."""
    if value == 0:
        return "0"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e4 else f"{value:.1e}"


def cosine_text(value: float) -> str:
    # rounding up to 1 would say that two outputs are the same which are not
    return f"{math.floor(value * 1e5) / 1e5:.5f}"


def milliseconds_text(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def size_text(size_bytes: int) -> str:
    """Bytes in the largest unit of 1000 that leaves a number of at least 1."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def count_text(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"
