"""The calibration audit as tables."""

from edgenn.audit.report import Audit, InputRange, TensorRange
from edgenn.report.html.grid import Cell, Column, Grid, Line, number
from edgenn.report.html.words import percent, plain

TENSORS = 60
"""In the table at most; those that are exceeded most often come first."""


def audit_grids(audit: Audit) -> list[Grid]:
    """Ranges of the inputs and of the tensors, those of the evaluation data beside them."""
    grids = []
    if audit.inputs:
        columns = (Column("Input"), *map(numeric, ("Low", "High", "Evaluated low", "high")))
        lines = tuple(input_line(entry) for entry in audit.inputs)
        grids.append(Grid("audit-inputs", "What the data hold of each input", columns, lines))
    if audit.tensors:
        names = ("Low", "High", "Evaluated low", "high", "Values outside", "Samples outside",
                 "Halves disagree")  # fmt: skip
        columns = (Column("Tensor"), *map(numeric, names))
        lines = tuple(tensor_line(entry) for entry in audit.tensors[:TENSORS])
        more = len(audit.tensors) - len(lines)
        caption = "Ranges of the tensors" + (f", {more} more left out" if more > 0 else "")
        grids.append(Grid("audit-tensors", caption, columns, lines))
    return grids


def numeric(title: str) -> Column:
    return Column(title, numeric=True)


def input_line(entry: InputRange) -> Line:
    ends = (entry.low, entry.high, entry.evaluation_low, entry.evaluation_high)
    return Line((Cell(entry.input), *(number(end, plain(end)) for end in ends)))


def tensor_line(entry: TensorRange) -> Line:
    ends = (entry.low, entry.high, entry.evaluation_low, entry.evaluation_high)
    apart = entry.disagreement
    return Line(
        (
            Cell(entry.tensor),
            *(number(end, plain(end)) for end in ends),
            number(entry.values_outside, percent(entry.values_outside)),
            number(entry.samples_outside, percent(entry.samples_outside)),
            number(apart, "-" if apart is None else percent(apart)),
        )
    )
