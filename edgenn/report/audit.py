"""What an audit of calibration data found, on the console."""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from edgenn.audit import Audit, Finding
from edgenn.report.numbers import magnitude_text
from edgenn.report.tables import plain_table

SHOWN = 8
"""Tensors in the table; the JSON has them all."""

HEADS = {"warning": "[yellow]warning:[/]", "note": "[dim]note:[/]"}


def print_audit(audit: Audit, console: Console) -> None:
    """The inputs, what was found with what to do, and the tensors that are exceeded."""
    console.print(f"[bold]{escape(audit.name)}[/]", highlight=False)
    console.print(inputs_table(audit))
    for finding in audit.findings:
        print_finding(finding, console)
    outside = [entry for entry in audit.tensors if entry.samples_outside > 0]
    if outside:
        console.print()
        console.print(tensors_table(audit))
        if len(outside) > SHOWN:
            console.print(f"[dim]and {len(outside) - SHOWN} more tensors[/]", highlight=False)
    console.print(f"\n[bold]{verdict(audit)}[/]", highlight=False)


def inputs_table(audit: Audit) -> Table:
    """Per set of samples: where it comes from, how many there are, what each input holds."""
    table = plain_table(None)
    table.add_column("data", overflow="fold")
    table.add_column("samples", justify="right")
    for entry in audit.inputs:
        table.add_column(escape(entry.input), overflow="fold")
    spans = [span_text(entry.low, entry.high) for entry in audit.inputs]
    table.add_row(escape(audit.calibration), f"{audit.samples:,}", *spans)
    if audit.evaluation:
        spans = [span_text(e.evaluation_low, e.evaluation_high) for e in audit.inputs]
        table.add_row(escape(audit.evaluation), f"{audit.evaluation_samples:,}", *spans)
    return table


def print_finding(finding: Finding, console: Console) -> None:
    head = HEADS[finding.severity]
    console.print(f"{head} {escape(finding.message)}", highlight=False)
    console.print(
        Padding(escape(finding.remedy), (0, 0, 0, 2), expand=False), style="dim", highlight=False
    )


def tensors_table(audit: Audit) -> Table:
    """The tensors that the evaluation data exceed, worst first."""
    table = plain_table(None)
    table.add_column("tensor", overflow="fold")
    for column in ("calibrated", "evaluated"):
        table.add_column(column, no_wrap=True)
    for column in ("clipped\nsamples %", "clipped\nvalues %", "by %", "sample"):
        table.add_column(column, justify="right", no_wrap=True)
    for entry in audit.tensors[:SHOWN]:
        if entry.samples_outside > 0:
            table.add_row(
                escape(entry.tensor),
                span_text(entry.low, entry.high),
                span_text(entry.evaluation_low, entry.evaluation_high),
                magnitude_text(100 * entry.samples_outside),
                magnitude_text(100 * entry.values_outside),
                magnitude_text(100 * entry.excess) if entry.high > entry.low else "-",
                str(entry.worst_sample),
            )
    return table


def span_text(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{magnitude_text(low)} … {magnitude_text(high)}"


def verdict(audit: Audit) -> str:
    warnings = len(audit.warnings)
    if warnings:
        return f"{warnings} warning{'s' if warnings > 1 else ''}"
    return "no warnings: good enough, as far as samples can tell"
