"""A check on the console, within 80 columns."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edgenn.drift import METRICS, CheckReport, Rung
from edgenn.drift.report import FLOAT_GRAPH
from edgenn.errors import UnavailableError, UnsupportedError
from edgenn.report.cost import cost_table, has_cost
from edgenn.report.explanation import print_explanation
from edgenn.report.numbers import metric_text, milliseconds_text
from edgenn.report.rungs import labelled
from edgenn.report.tables import plain_table
from edgenn.report.verdicts import conclusion, verdict_lines


def print_check(report: CheckReport, console: Console) -> None:
    """One table per output, what is over the budget, which layer did it, and the result."""
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
    for line in fewer_samples(report):
        console.print(f"[dim]{escape(line)}[/]", highlight=False)
    for rung in report.rungs:
        print_words(rung, console)
    for explanation in report.explanations:
        if explanation.is_measured or explanation.artifact in failed_artifacts(report):
            print_explanation(explanation, console)
    for stream in report.streaming:
        if not stream.passed:
            where = f"{escape(stream.artifact)} on {stream.target}"
            console.print(f"[red]{where}: {escape(stream.finding)}[/]", highlight=False)
    if report.audit is not None:
        for finding in report.audit.warnings:
            console.print(f"[yellow]calibration: {escape(str(finding))}[/]", highlight=False)
    for line in conclusion(report):
        console.print(line, highlight=False)


def failed_artifacts(report: CheckReport) -> set[str]:
    return {rung.artifact for rung in report.rungs if rung.failed}


def fewer_samples(report: CheckReport) -> Iterator[str]:
    """Which slow targets have not seen all samples, each once."""
    seen = {rung.target: rung.samples for rung in report.rungs if 0 < rung.samples < report.samples}
    for target, count in seen.items():
        yield f"{target} is slow: its numbers are of the first {count} samples"


def print_words(rung: Rung, console: Console) -> None:
    """What engines and budget have to say of a rung, below the table."""
    where = f"{escape(rung.artifact)} on {rung.target}" if rung.artifact else rung.target
    for line in rung.notes:
        console.print(f"[dim]{where}: {escape(line)}[/]", highlight=False)
    for line in (*rung.findings, *verdict_lines(rung)):
        console.print(f"[red]{where}: {escape(line)}[/]", highlight=False)
    for line in rung.warnings:
        console.print(f"[yellow]{where}: {escape(line)}[/]", highlight=False)


def check_table(report: CheckReport, output: str, title: str | None) -> Table:
    """Rows are rungs, columns metrics; metrics without any value are left out."""
    shown = shown_metrics(report, output)
    steps = any(output in rung.step for rung in report.rungs)
    table = plain_table(title)
    table.add_column("scheme", overflow="fold")
    table.add_column("target", no_wrap=True)
    for name in shown:
        # the unit in a line of its own keeps the columns narrow
        table.add_column(f"{METRICS[name].title}\n{METRICS[name].unit}".rstrip(), justify="right")
    if steps:
        table.add_column("step\nRMSE", justify="right")
    table.add_column("ms", justify="right")
    of_keras = report.reference_metrics[output]
    if any(of_keras.get(name) is not None for name in shown):
        given = ((name, of_keras.get(name)) for name in shown)
        known = ("" if v is None else metric_text(n, v) for n, v in given)
        table.add_row("[dim]Keras[/]", "", *known, *[""] * steps, "")
    for label, rung in labelled(report.rungs):
        cells = rung_cells(rung, output, shown, steps=steps)
        scheme = "" if rung.target == FLOAT_GRAPH else escape(label)
        table.add_row(scheme, rung.target, *cells)
    return table


def shown_metrics(report: CheckReport, output: str) -> list[str]:
    """Those that have room; a recipe's own score where no other judges the task."""
    known = [name for name in METRICS if has_values(report, output, name)]
    shown = [name for name in known if METRICS[name].in_table]
    if "score" in known and not any(METRICS[name].of_labels for name in shown):
        shown.append("score")
    return shown


def rung_cells(rung: Rung, output: str, shown: Iterable[str], *, steps: bool) -> list[str]:
    if rung.metrics is None:
        return [failure_text(rung)]
    values = rung.metrics[output]
    cells = [marked(rung, output, name, metric_text(name, values.get(name))) for name in shown]
    if steps:
        step = rung.step.get(output)
        cells.append("" if step is None else metric_text("rmse", step["rmse"]))
    return [*cells, latency_text(rung)]


def marked(rung: Rung, output: str, metric: str, text: str) -> str:
    """The number in red where the budget does not allow it."""
    lines = (v for v in rung.verdicts if v.output == output and v.metric == metric)
    return text if all(verdict.passed for verdict in lines) else f"[red]{text}[/]"


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
