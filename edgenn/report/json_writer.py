"""Reports as JSON that every reader takes: no NaN, no infinity."""

import json
import math
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from edgenn.atomic import replace_file


def to_json(report: Any) -> str:
    """A dataclass as JSON; numbers that JSON has no word for become ``null``.

    That is the SQNR of two equal outputs, whose ``max_abs`` is 0.
    """
    assert is_dataclass(report) and not isinstance(report, type)
    content = {**asdict(report), **summary(report)}
    return json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def summary(report: Any) -> dict[str, Any]:
    """What follows from a check's fields, for readers that do not want to work it out."""
    known = ("first_break", "exit_code")
    return {name: getattr(report, name) for name in known if hasattr(report, name)}


def finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return value


def write_json(report: Any, path: str | Path) -> None:
    """Writes ``to_json`` to a file, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    with replace_file(path) as draft:
        draft.write_text(to_json(report), encoding="utf-8")
