"""The streaming check as a table."""

from collections.abc import Sequence

from edgenn.drift.streaming import StreamCheck
from edgenn.report.html.grid import Cell, Column, Grid, Line, number
from edgenn.report.html.words import plain


def streaming_grid(streams: Sequence[StreamCheck]) -> Grid:
    """A row for each file on each target."""
    columns = (
        Column("File"),
        Column("Target"),
        Column("Steps at once", tip="chunk sizes that were tried"),
        Column("Largest difference", numeric=True, tip="share of the output's range"),
        Column("State"),
        Column("Finding"),
    )
    lines = tuple(
        Line(
            (
                Cell(stream.artifact),
                Cell(stream.target),
                Cell(", ".join(map(str, stream.chunks))),
                number(stream.max_difference, plain(stream.max_difference)),
                Cell(
                    "equal" if stream.passed else "differs",
                    kind="pass" if stream.passed else "fail",
                ),
                Cell(stream.finding, kind="words"),
            ),
            kind="" if stream.passed else "over",
        )
        for stream in streams
    )
    return Grid("streams", "Streams against whole sequences", columns, lines)
