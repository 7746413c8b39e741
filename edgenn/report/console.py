"""Tables on the console, within 80 columns."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edgenn.bundle import Bundle
from edgenn.drift import METRICS, CheckReport, Rung
from edgenn.errors import UnavailableError, UnsupportedError
from edgenn.inspection import Inspection
from edgenn.report.cost import cost_table, has_cost
from edgenn.report.numbers import (
    count_text,
    metric_text,
    milliseconds_text,
    size_text,
)
from edgenn.report.rungs import labelled
from edgenn.report.tables import plain_table
from edgenn.runtime.tensor_info import TensorInfo, shape_text


def print_check(report: CheckReport, console: Console) -> None:
    """One table per output, then what went wrong and what the engines warned of."""
    console.print(
        f"[bold]{escape(report.name)}[/]: {report.samples} samples from {escape(report.data)},"
        f" against the {report.reference} Keras predictions"
    )
    for output in report.reference_metrics:
        title = f"output {escape(output)}" if len(report.reference_metrics) > 1 else None
        console.print(check_table(report, output, title))
    if any(has_cost(rung) for rung in report.rungs):
        console.print(cost_table(report))
    for note in report.notes:
        console.print(f"[yellow]{escape(note)}[/]", highlight=False)
    for rung in report.rungs:
        where = f"{escape(rung.artifact)} on {rung.target}" if rung.artifact else rung.target
        for line in rung.notes:
            console.print(f"[dim]{where}: {escape(line)}[/]", highlight=False)
        for finding in rung.findings:
            console.print(f"[red]{where}: {escape(finding)}[/]", highlight=False)
        for warning in rung.warnings:
            console.print(f"[yellow]{where}: {escape(warning)}[/]", highlight=False)


def check_table(report: CheckReport, output: str, title: str | None) -> Table:
    """Rows are rungs, columns metrics; metrics without any value are left out."""
    shown = [n for n, m in METRICS.items() if m.in_table and has_values(report, output, n)]
    table = plain_table(title)
    table.add_column("scheme")
    table.add_column("target")
    for name in shown:
        # the unit in a line of its own keeps the columns narrow
        table.add_column(f"{METRICS[name].title}\n{METRICS[name].unit}".rstrip(), justify="right")
    table.add_column("ms", justify="right")
    of_keras = report.reference_metrics[output]
    if of_keras.get("accuracy") is not None:
        cells = (
            metric_text(name, of_keras[name]) if METRICS[name].of_labels else "" for name in shown
        )
        table.add_row("[dim]Keras[/]", "", *cells, "")
    for label, rung in labelled(report.rungs):
        table.add_row(escape(label), rung.target, *rung_cells(rung, output, shown))
    return table


def rung_cells(rung: Rung, output: str, shown: Iterable[str]) -> list[str]:
    if rung.metrics is None:
        return [failure_text(rung)]
    values = rung.metrics[output]
    return [*(metric_text(name, values[name]) for name in shown), latency_text(rung)]


def failure_text(rung: Rung) -> str:
    """Why there are no numbers, in a word; the line below the table says it all."""
    if rung.notes:
        return "[dim]absent[/]"
    words = {UnavailableError.exit_code: "absent", UnsupportedError.exit_code: "refused"}
    return f"[red]{words.get(rung.exit_code, 'failed')}[/]"


def latency_text(rung: Rung) -> str:
    """The time of a sample, where it is the device's."""
    if rung.time != "measured" or rung.facts.software:
        return "-"
    return milliseconds_text(rung.latency_ms)


def has_values(report: CheckReport, output: str, metric: str) -> bool:
    return any(
        rung.metrics is not None and rung.metrics[output].get(metric) is not None
        for rung in report.rungs
    )


def print_bundle(bundle: Bundle, console: Console) -> None:
    """What a conversion wrote."""
    table = plain_table(None)
    table.add_column("file", overflow="fold")
    for column in ("size", "ops", "MACs"):
        table.add_column(column, justify="right")
    table.add_column("input → output")
    for artifact in bundle.manifest.artifacts:
        table.add_row(
            artifact.file,
            size_text(artifact.size_bytes),
            count_text(sum(artifact.op_counts.values())),
            count_text(artifact.macs),
            f"{dtypes_text(artifact.inputs)} → {dtypes_text(artifact.outputs)}",
        )
    console.print(table)
    seconds = sum(bundle.manifest.timings_s.values())
    count = len(bundle.artifacts)
    files = f"{count} file{'s' if count != 1 else ''}"
    console.print(f"{files} in {escape(str(bundle.path))}, {seconds:.1f} s")


def dtypes_text(infos: Iterable[TensorInfo]) -> str:
    return ", ".join(dict.fromkeys(info.dtype for info in infos))


def print_inspection(inspection: Inspection, console: Console) -> None:
    """A model or an artifact: borders, ops, size."""
    head = [inspection.format, size_text(inspection.size_bytes)]
    if inspection.parameters is not None:
        head.append(f"{inspection.parameters:,} parameters")
    if inspection.macs is not None:
        head.append(f"{inspection.macs:,} MACs")
    console.print(f"[bold]{escape(inspection.path)}[/]: {', '.join(head)}", highlight=False)
    table = plain_table(None)
    for column in ("", "name", "shape", "dtype", "scale", "zero point"):
        table.add_column(column, overflow="fold")
    for kind, infos in (("input", inspection.inputs), ("output", inspection.outputs)):
        for info in infos:
            table.add_row(
                kind, escape(info.name), shape_text(info.shape), *quantization_cells(info)
            )
    console.print(table)
    ops = ", ".join(f"{name} × {count}" for name, count in inspection.op_counts.items())
    console.print(f"{sum(inspection.op_counts.values())} ops: {ops}", highlight=False)
    for note in inspection.notes:
        console.print(f"[yellow]{escape(note)}[/]", highlight=False)


def quantization_cells(info: TensorInfo) -> tuple[str, str, str]:
    if info.scale is None:
        return info.dtype, "", ""
    return info.dtype, f"{info.scale:.6g}", str(info.zero_point)
