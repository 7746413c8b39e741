"""The rungs of a check as tables: their metrics, and the budget held against them."""

from collections.abc import Sequence

from edgenn.drift import METRICS, CheckReport, Rung
from edgenn.drift.report import FLOAT_GRAPH
from edgenn.report.html.grid import Cell, Column, Grid, Line, number
from edgenn.report.html.words import (
    count,
    heading_of,
    is_partial,
    scheme_words,
    title_of,
    with_unit,
)
from edgenn.report.numbers import metric_text, milliseconds_text, size_text


def rung_grid(report: CheckReport, output: str, name: str) -> Grid:
    """Rungs × metrics of one output, those without any value left out; what matters most first."""
    shown = shown_metrics(report, output)
    main = [metric for metric in shown if METRICS[metric].in_table]
    rest = [metric for metric in shown if not METRICS[metric].in_table]
    columns = (
        Column("File"),
        Column("Target"),
        Column("State"),
        *map(metric_column, main),
        Column("Step SQNR (dB)", numeric=True, tip="against the rung before"),
        Column("Latency (ms)", numeric=True, tip="median of one sample"),
        Column("Size", numeric=True),
        *map(metric_column, rest),
    )
    return Grid(
        name,
        f"Every rung against Keras{of_output(report, output)}",
        columns,
        tuple(rung_line(report, rung, output, main, rest) for rung in report.rungs),
        ("scheme", "target"),
    )


def metric_column(metric: str) -> Column:
    return Column(heading_of(metric), numeric=True, tip=METRICS[metric].source)


def of_output(report: CheckReport, output: str) -> str:
    return f", output {output}" if len(report.reference_metrics) > 1 else ""


def shown_metrics(report: CheckReport, output: str) -> list[str]:
    """Metrics that any rung has a value of; task metrics first."""
    names = [
        name
        for name in METRICS
        if any((rung.metrics or {}).get(output, {}).get(name) is not None for rung in report.rungs)
    ]
    return sorted(names, key=lambda name: not METRICS[name].of_labels)


def rung_line(
    report: CheckReport, rung: Rung, output: str, main: Sequence[str], rest: Sequence[str]
) -> Line:
    cells = (
        Cell(file_words(rung), tip=rung.artifact),
        target_cell(report, rung),
        state(rung),
        *(metric_cell(rung, output, metric) for metric in main),
        step_cell(rung, output),
        latency_cell(rung),
        number(rung.size_bytes, "-" if rung.size_bytes is None else size_text(rung.size_bytes)),
        *(metric_cell(rung, output, metric) for metric in rest),
    )
    keys = {"scheme": rung.scheme, "target": rung.target}
    return Line(cells, keys, "over" if rung.failed else "")


def target_cell(report: CheckReport, rung: Rung) -> Cell:
    """Where it ran; with how many samples, where they are not all."""
    if not is_partial(report, rung):
        return Cell(rung.target)
    return Cell(f"{rung.target} ({count(rung.samples, 'sample')})", rung.target)


def metric_cell(rung: Rung, output: str, metric: str) -> Cell:
    value = (rung.metrics or {}).get(output, {}).get(metric)
    broken = any(
        (line.metric, line.output) == (metric, output) and not line.passed for line in rung.verdicts
    )
    tip = interval_text(rung, output, metric)
    return number(value, metric_text(metric, value), "fail" if broken else "", tip)


def step_cell(rung: Rung, output: str) -> Cell:
    value = rung.step.get(output, {}).get("sqnr_db")
    tip = "" if value is None else f"against {rung.before or 'Keras'}"
    return number(value, metric_text("sqnr_db", value), tip=tip)


def latency_cell(rung: Rung) -> Cell:
    """The time of a sample, where it is the device's."""
    measured = rung.time == "measured" and not rung.facts.software
    value = rung.latency_ms if measured else None
    return number(value, milliseconds_text(value))


def file_words(rung: Rung) -> str:
    return scheme_words(rung) or ("graph" if rung.target == FLOAT_GRAPH else "no file")


def interval_text(rung: Rung, output: str, metric: str) -> str:
    interval = rung.intervals.get(output, {}).get(metric)
    if interval is None:
        return ""
    low, high = (with_unit(metric, end) for end in interval)
    return f"{low} … {high} against Keras (95 %)"


def state(rung: Rung) -> Cell:
    """In a word how a rung did."""
    if rung.metrics is None:
        said = (*rung.findings, *rung.notes)
        return Cell("did not run" if rung.findings else "not here",
                    kind="fail" if rung.findings else "absent", tip="; ".join(said))  # fmt: skip
    if any(not line.passed for line in rung.verdicts):
        return Cell("over budget", kind="fail")
    if rung.findings:
        return Cell("finding", kind="fail", tip="; ".join(rung.findings))
    return Cell("within budget" if rung.verdicts else "ran", kind="pass" if rung.verdicts else "")


def verdict_grid(report: CheckReport) -> Grid:
    """Every line of the budget against every rung; what fails first."""
    held = [(rung, verdict) for rung in report.rungs for verdict in rung.verdicts]
    several = len({verdict.output for _, verdict in held}) > 1
    lines = [
        Line(
            (
                Cell(rung.label),
                Cell(verdict.rule),
                *([Cell(verdict.output or "-")] if several else []),
                number(
                    verdict.value,
                    with_unit(verdict.metric, verdict.value),
                    "" if verdict.passed else "fail",
                    title_of(verdict.metric),
                ),
                Cell("holds" if verdict.passed else "broken",
                     kind="pass" if verdict.passed else "fail"),
                Cell(verdict.source),
            ),
            {"scheme": rung.scheme, "target": rung.target},
            "" if verdict.passed else "over",
        )
        for rung, verdict in sorted(held, key=lambda entry: entry[1].passed)
    ]  # fmt: skip
    columns = [Column("Rung"), Column("Rule"), *([Column("Of")] if several else [])]
    columns += [Column("Value", numeric=True), Column("State"), Column("Source")]
    return Grid(
        "verdicts",
        "The budget, line by line",
        tuple(columns),
        tuple(lines),
        ("scheme", "target"),
    )
