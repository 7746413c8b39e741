"""Tables of the page: plain data for one macro that writes them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """What stands in a table.

    Attributes:
        text: As it is read.
        sort: By what a click on the heading sorts it; the text where it is empty.
        kind: Class in the page, such as ``fail``.
        tip: What shows where the pointer rests on it.
    """

    text: str
    sort: str = ""
    kind: str = ""
    tip: str = ""


@dataclass(frozen=True)
class Column:
    """A heading.

    Attributes:
        numeric: Whether its cells are aligned to the right, and sorted as numbers.
        tip: What the heading means.
    """

    title: str
    numeric: bool = False
    tip: str = ""


@dataclass(frozen=True)
class Line:
    """A row.

    Attributes:
        keys: What the choices above the table filter by: ``scheme``, ``target``.
        kind: Class in the page.
    """

    cells: tuple[Cell, ...]
    keys: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""


@dataclass(frozen=True)
class Grid:
    """A table; its first column names the row.

    Attributes:
        name: Unique in the page.
        caption: What it shows; a screen reader says it first.
        keys: By what it can be filtered; empty where it is too short to need it.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    keys: tuple[str, ...] = ()

    def choices(self, key: str) -> Sequence[str]:
        """What a filter offers, in the order of the rows."""
        return list(dict.fromkeys(line.keys[key] for line in self.lines if line.keys.get(key)))


def number(value: float | None, text: str, kind: str = "", tip: str = "") -> Cell:
    """A cell that is sorted by its value."""
    return Cell(text, "" if value is None else repr(float(value)), kind, tip)
