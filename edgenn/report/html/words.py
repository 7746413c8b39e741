"""Short words and numbers of the page."""

import math
import re
from collections.abc import Sequence
from typing import Final, TypeGuard

from edgenn.drift import METRICS, CheckReport, Rung
from edgenn.options import SCHEMES
from edgenn.report.numbers import magnitude_text, metric_text, size_text

DIGITS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What neither XML nor HTML takes, not even escaped; a layer's name may hold it."""


def with_unit(name: str, value: float | None) -> str:
    """A metric's value as it stands in a sentence: ``97.7 %``."""
    text = metric_text(name, value) if name in METRICS else plain(value)
    unit = METRICS[name].unit if name in METRICS else ""
    return f"{text}\u00a0{unit}" if unit and text not in ("-", "∞") else text


def value_words(name: str, value: float | None) -> str:
    """The same, and words where there is no value to speak of."""
    return "no number" if value is None or math.isnan(value) else with_unit(name, value)


def plain(value: float | None) -> str:
    """A number that is no metric; ``-`` where there is none."""
    if value is None or math.isnan(value):
        return "-"
    return "∞" if math.isinf(value) else magnitude_text(value)


def title_of(name: str) -> str:
    """What a metric is called; its name where the title is short for a column."""
    if name in METRICS and "." not in METRICS[name].title:
        return METRICS[name].title
    return name.replace("_l2", " L2").replace("_", " ")


def heading_of(name: str) -> str:
    """A metric's title with its unit."""
    unit = METRICS[name].unit if name in METRICS else ""
    return f"{title_of(name)} ({unit})" if unit else title_of(name)


def tick_text(name: str, value: float) -> str:
    """A metric's value on an axis, whose title has the unit."""
    if METRICS[name].unit != "%":
        return f"{value:.4g}"
    return f"{100 * value:.4g}" if value < 1 + 1e-9 else ""  # there is nothing above 100 %


def finite(value: float | None) -> TypeGuard[float]:
    """Whether there is a value, and it is a number."""
    return value is not None and math.isfinite(value)


def power(value: float) -> str:
    """A power of ten as a tick of a logarithmic axis; others stay blank."""
    exponent = math.log10(value) if value > 0 else math.nan
    if not math.isfinite(exponent) or abs(exponent - round(exponent)) > 1e-6:
        return ""
    if abs(exponent) < 3.5:
        return f"{value:g}"
    return f"10{str(round(exponent)).translate(DIGITS)}"


def count(number: int, noun: str) -> str:
    """``1 sample``, ``1,437 samples``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def scheme_words(rung: Rung) -> str:
    """What tells its file from others of the model; the graph has none."""
    return " ".join(rung.words)


def is_partial(report: CheckReport, rung: Rung) -> bool:
    """Whether a slow rung ran fewer samples than the others."""
    return rung.metrics is not None and 0 < rung.samples < report.samples


def variant(artifact: str) -> str:
    """A file's name without the model's: ``int8.tflite``."""
    for scheme in SCHEMES:
        head, found, tail = artifact.rpartition(f".{scheme}.")
        if found and head:
            return f"{scheme}.{tail}"
    return artifact


def signed_size(size_bytes: int) -> str:
    size = size_text(abs(size_bytes)).replace(" ", "\u00a0")
    return f"{size} {'more' if size_bytes > 0 else 'less'}"


def percent(share: float) -> str:
    """A share of 1 in per cent; small ones are not rounded to none."""
    if 0 < share < 0.001:
        return "<\u00a00.1\u00a0%"
    return f"{100 * share:.1f}\u00a0%"
