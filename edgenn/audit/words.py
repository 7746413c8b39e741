"""Numbers and lists in messages."""

from collections.abc import Iterable

from edgenn.quantization.parameters import Range


def listed(names: Iterable[object], shown: int = 3) -> str:
    """The first of some names, and how many more there are."""
    words = [str(name) for name in names]
    more = len(words) - shown
    return ", ".join(words[:shown]) + (f" and {more} more" if more > 0 else "")


def percent(share: float) -> str:
    """A share for a message; neither 0 nor 100 unless it is just that."""
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    return f"{min(max(100 * share, 0.1), 99.9):.3g} %"


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def span(range_: Range) -> str:
    return f"{number(range_.low)} to {number(range_.high)}"


def counted(count: int, what: str) -> str:
    """``1 sample``, ``2 samples``."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")
