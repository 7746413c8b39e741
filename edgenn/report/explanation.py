"""The layers of an artifact on the console."""

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edgenn.drift.budget.words import value_text
from edgenn.drift.explain import Explanation
from edgenn.drift.explain.report import LayerError
from edgenn.report.numbers import magnitude_text, size_text
from edgenn.report.tables import plain_table

SHOWN = 5
"""Layers in the table; the JSON has them all."""


def print_explanation(explanation: Explanation, console: Console) -> None:
    """The most suspicious layers, what is wrong with them, and what would help."""
    by_path = {entry.layer: entry for entry in explanation.layers}
    worst = [by_path[path] for path in explanation.ranking[:SHOWN]]
    console.print(
        f"\n[bold]{escape(explanation.artifact)}[/], layer by layer on"
        f" {explanation.samples} samples: {escape(explanation.sentence)}",
        highlight=False,
    )
    console.print(layer_table(worst))
    for entry in worst:
        for line in details(entry):
            console.print(f"{escape(entry.layer)}: {escape(line)}", highlight=False)
    for bucket in explanation.lengths:
        console.print(
            f"[dim]{bucket.low} to {bucket.high} steps: error {percent(bucket.error)} %"
            f" ({bucket.samples} samples)[/]",
            highlight=False,
        )
    for note in explanation.notes:
        console.print(f"[yellow]{escape(note)}[/]", highlight=False)
    if explanation.remedies:
        console.print(remedy_table(explanation))


def layer_table(layers: list[LayerError]) -> Table:
    """Errors as shares of the layer's output."""
    table = plain_table(None)
    table.add_column("layer", overflow="fold")
    table.add_column("op", overflow="fold")
    for column in ("own\n%", "inherited\n%", "total\n%", "excess", "regained\n%"):
        table.add_column(column, justify="right", no_wrap=True)
    for entry in layers:
        table.add_row(
            escape(entry.layer),
            entry.op,
            *(percent(value) for value in (entry.introduced, entry.inherited, entry.total)),
            magnitude_text(entry.excess),
            "" if entry.regained is None else percent(entry.regained),
        )
    return table


def details(entry: LayerError) -> list[str]:
    """What is known of one layer besides its errors."""
    lines = list(entry.diagnosis)
    for what, errors in (("gates", entry.gates), ("states", entry.states)):
        if errors:
            lines.append(f"{what}: {by_size(errors)}")
    if entry.steps:
        worst = max(range(len(entry.steps)), key=lambda step: entry.steps[step])
        lines.append(
            f"by step: {percent(entry.steps[0])} % at the first,"
            f" {percent(entry.steps[worst])} % at step {worst}, the worst"
        )
    return lines


def by_size(errors: Mapping[str, float]) -> str:
    ordered = sorted(errors.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {percent(value)} %" for name, value in ordered)


def remedy_table(explanation: Explanation) -> Table:
    """Words for ``edgenn convert`` and what they would bring."""
    table = plain_table("what would help")
    table.add_column("edgenn convert …", overflow="fold")
    for column in ("metric", "now", "then", "Keras", "size"):
        table.add_column(column, justify="right", no_wrap=True)
    for remedy in explanation.remedies:
        more = remedy.bytes_more
        table.add_row(
            escape(remedy.options),
            remedy.metric,
            *(
                "" if value is None else value_text(remedy.metric, value)
                for value in (remedy.before, remedy.after, remedy.keras)
            ),
            "" if more is None else f"{'+' if more >= 0 else '-'}{size_text(abs(more))}",
        )
    return table


def percent(share: float) -> str:
    return magnitude_text(100 * share)
