"""The streaming check as a table."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from edgenn.report.html.grid import Cell, Column, Grid, Line, number
from edgenn.report.html.words import plain

if TYPE_CHECKING:
    from edgenn.drift.streaming import StreamCheck


def streaming_grid(streams: Sequence["StreamCheck"]) -> Grid:
    names = [entry.name for entry in fields(streams[0])]
    lines = tuple(
        Line(
            tuple(cell(getattr(stream, name)) for name in names),
            kind="" if stream.passed else "over",
        )
        for stream in streams
    )
    columns = tuple(Column(name.replace("_", " ").capitalize()) for name in names)
    return Grid("streams", "Streams against whole sequences", columns, lines)


def cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return Cell("holds" if value else "broken", kind="pass" if value else "fail")
    if isinstance(value, float):
        return number(value, plain(value))
    if isinstance(value, list | tuple):
        return Cell(", ".join(map(str, value)))
    return Cell(str(value))
