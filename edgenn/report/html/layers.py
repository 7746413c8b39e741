"""What is known of the layers of each file, in tables and words."""

from dataclasses import dataclass

from edgenn.drift import CheckReport
from edgenn.drift.explain.report import Explanation, LayerError, Remedy
from edgenn.report.html.grid import Cell, Column, Grid, Line, number
from edgenn.report.html.words import percent, plain, signed_size, title_of, with_unit


@dataclass(frozen=True)
class FileView:
    """One file that was looked into.

    Attributes:
        open: Whether the page shows its table at once.
        remedies: Options for ``convert`` and what they bring.
    """

    artifact: str
    samples: int
    sentence: str
    notes: tuple[str, ...]
    remedies: tuple[tuple[str, str], ...]
    grid: Grid
    open: bool


def file_views(report: CheckReport, focus: str) -> list[FileView]:
    """All explained files; that named ``focus`` is open."""
    broken = {rung.artifact for rung in report.rungs if rung.failed}
    return [
        FileView(
            entry.artifact,
            entry.samples,
            entry.sentence,
            entry.notes,
            tuple((remedy.options, remedy_text(remedy)) for remedy in entry.remedies),
            layer_grid(entry, f"layers-{place}", marked=entry.artifact in broken),
            entry.artifact == focus or len(report.explanations) == 1,
        )
        for place, entry in enumerate(report.explanations)
    ]


def layer_grid(explanation: Explanation, name: str, *, marked: bool) -> Grid:
    """Layers in the model's order; the rank tells how suspicious each is."""
    ranks = {layer: place for place, layer in enumerate(explanation.ranking, 1)}
    lines = tuple(
        layer_line(layer, ranks.get(layer.layer), marked and ranks.get(layer.layer) == 1)
        for layer in explanation.layers
    )
    columns = (
        Column("Layer"),
        Column("Op"),
        Column("Rank", numeric=True, tip="1 is the most suspicious"),
        Column("Introduced", numeric=True, tip="own error, relative"),
        Column("Inherited", numeric=True, tip="error of earlier layers, relative"),
        Column("In total", numeric=True),
        Column("Excess", numeric=True, tip="own error over what rounding explains"),
        Column("Regained", numeric=True, tip="share of the output's squared error that goes when"
               " this layer alone is float"),
        Column("Diagnosis"),
    )  # fmt: skip
    return Grid(name, f"Layers of {explanation.artifact}", columns, lines)


def layer_line(layer: LayerError, rank: int | None, culprit: bool) -> Line:
    regained = "-" if layer.regained is None else percent(layer.regained)
    cells = (
        Cell(layer.layer),
        Cell(layer.op),
        number(rank, "-" if rank is None else str(rank)),
        *(
            number(value, plain(value))
            for value in (layer.introduced, layer.inherited, layer.total)
        ),
        number(layer.excess, plain(layer.excess), "fail" if culprit else ""),
        number(layer.regained, regained),
        Cell("; ".join(layer.diagnosis), kind="words"),
    )
    return Line(cells, kind="over" if culprit else "")


def remedy_text(remedy: Remedy) -> str:
    """``accuracy 98.5 % instead of 91.1 % (Keras 98.7 %), 1.2 kB more``."""
    text = f"{title_of(remedy.metric)} {with_unit(remedy.metric, remedy.after)}"
    text += f" instead of {with_unit(remedy.metric, remedy.before)}"
    if remedy.keras is not None:
        text += f" (Keras {with_unit(remedy.metric, remedy.keras)})"
    if remedy.bytes_more:
        text += f", {signed_size(remedy.bytes_more)}"
    return text
