"""Reads .toml files of a schema; says in which line a mistake is, and what may stand there."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from edgenn.errors import UsageError

Key = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, what: str) -> tuple[str, dict[str, Any]]:
    """The text of a file, and what it says.

    Args:
        what: The file is, for the error: ``profile``.

    Raises:
        UsageError: It cannot be read, or is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows write a byte order mark
    except OSError as error:
        raise UsageError(f"the {what} {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the {what} {path} cannot be read: it is no UTF-8 text") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no TOML: {error}") from error


def validated(
    model: type[Model], data: Mapping[str, Any], text: str, path: Path, where: Key = ()
) -> Model:
    """What a file says, as a schema has it.

    Args:
        text: Of the file, for the numbers of lines.
        where: The keys that lead to ``data`` in it.

    Raises:
        UsageError: It breaks the schema.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first, *others = by_cause(error.errors())
        more = f"; {len(others)} more mistake{'s'[: len(others) - 1]}" if others else ""
        place = f"{path}, line {line_of(text, (*where, *first['loc']))}"
        raise UsageError(
            f"{place}: {mistake(first, where)}{more}", allowed(model, first)
        ) from error


def by_cause(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Mistakes without those that only follow from another, unknown keys first.

    A misspelt key is also one that is missing: what stands in the file is what has to be mended.
    A list whose items are all refused also counts as empty.
    """
    inner = {tuple(error["loc"][:-1]) for error in errors}
    causes = [e for e in errors if not (e["type"] == "too_short" and e["loc"] in inner)]
    return sorted(causes, key=lambda error: error["type"] != "extra_forbidden")


def mistake(error: ErrorDetails, where: Key = ()) -> str:
    """What is wrong, in the words of the file."""
    name = ".".join(str(part) for part in (*where, *error["loc"]) if part != "[key]")
    if error["type"] == "extra_forbidden":
        return f"unknown key {name!r}"
    if error["type"] == "missing":
        return f"{name!r} is missing"
    return f"{name!r} is {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"


def allowed(model: Any, error: ErrorDetails) -> str:
    """What may stand there, where the schema knows."""
    if error["type"] != "extra_forbidden":
        return ""
    for part in error["loc"][:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return ""
        models = [kind for kind in of_annotation(field.annotation) if issubclass(kind, BaseModel)]
        model = models[0] if models else None
    keys = [key for key in getattr(model, "model_fields", {}) if key != "name"]
    return f"allowed are {', '.join(keys)}" if keys else ""


def of_annotation(annotation: Any) -> list[type]:
    """The classes in an annotation such as ``Table | None``."""
    parts: Sequence[Any] = getattr(annotation, "__args__", ())
    found = [annotation] if isinstance(annotation, type) else []
    return found + [kind for part in parts for kind in of_annotation(part)]


def line_of(text: str, key: Key) -> int:
    """The line where a key stands, or the nearest table around it; 1 if there is none.

    TOML's parsers give no positions; these files are plain enough to look for the key itself.
    """
    names = [str(part) for part in key if isinstance(part, str)]
    table: list[str] = []
    best, depth = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\[?([^\]]+)\]\]?", line):
            table = dotted(header[1])
            path = table
        elif entry := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            path = table + dotted(entry[1])
        else:
            continue
        shared = min(len(path), len(names))
        if names[:shared] == path[:shared] and shared > depth:
            best, depth = number, shared
    return best


def dotted(name: str) -> list[str]:
    return [part.strip().strip("\"'") for part in name.split(".")]
