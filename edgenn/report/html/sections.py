"""The parts of the page, in its order: each says what it shows, and is left out without data."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from edgenn.drift import METRICS, CheckReport, Rung
from edgenn.drift.explain.report import Explanation
from edgenn.report.html.audit import audit_grids
from edgenn.report.html.charts.drawing import Chart
from edgenn.report.html.charts.histogram import differences_chart, values_chart
from edgenn.report.html.charts.ladder import ladder_chart
from edgenn.report.html.charts.pareto import pareto_chart
from edgenn.report.html.charts.recurrent import MOST, bars_chart, lengths_of, steps_chart
from edgenn.report.html.heat import heat_maps
from edgenn.report.html.layers import file_views
from edgenn.report.html.rungs import of_output, rung_grid, shown_metrics, verdict_grid
from edgenn.report.html.samples import worst_samples
from edgenn.report.html.streaming import streaming_grid
from edgenn.report.html.verdict import explanation_of, focus_of
from edgenn.report.html.words import count, is_partial, variant

LADDERS: Final = 4
"""Outputs that get a ladder; tables have all of them."""
HISTOGRAMS: Final = (2, 6)
"""Of layers, the most suspicious first, in a file that is well and in one that failed."""
DRAWN: Final = 12
"""Histograms of layers in one page, and of steps."""


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes:
        name: Its id, unique in the page.
        lead: What it shows, in a sentence.
        template: File in ``templates/`` that writes it.
        data: What that file needs.
    """

    name: str
    title: str
    lead: str
    template: str
    data: Mapping[str, Any]


def sections(report: CheckReport) -> list[Section]:
    """All that have something to show."""
    return [section for make in MAKERS for section in make(report)]


def ladder(report: CheckReport) -> Iterator[Section]:
    outputs = list(report.reference_metrics)[:LADDERS]
    charts = [
        ladder_chart(report, output, axes(report, output), f"ladder-{place}")
        for place, output in enumerate(outputs)
        if axes(report, output)
    ]
    partial = any(is_partial(report, rung) for rung in report.rungs)
    if charts:
        yield Section(
            "ladder",
            "Ladder",
            "From Keras down to the last target: what each step costs. The shaded side is over the"
            " budget; pale bars are 95 % intervals."
            + (" Hollow marks are of fewer samples." if partial else ""),
            "charts.html",
            {"charts": charts},
        )


def axes(report: CheckReport, output: str) -> list[str]:
    """What the budget is broken by, else what the task is judged by; then how faithful it is."""
    shown = shown_metrics(report, output)
    over = {
        verdict.metric
        for rung in report.rungs
        for verdict in rung.verdicts
        if verdict.output == output and not verdict.passed
    }
    broken = [name for name in shown if name in over]
    task = [name for name in shown if METRICS[name].of_labels]
    faithful = [name for name in ("sqnr_db", "rmse") if name in shown]
    first = (broken or task)[:1]
    return first + [name for name in (*faithful, *task) if name not in first][:1]


def numbers(report: CheckReport) -> Iterator[Section]:
    grids = [
        rung_grid(report, output, f"numbers-{place}")
        for place, output in enumerate(report.reference_metrics)
    ]
    yield Section(
        "numbers",
        "Numbers",
        "Every rung against Keras; “step” is against the rung before. A click on a heading sorts.",
        "grids.html",
        {"grids": grids, "findings": findings(report)},
    )


def findings(report: CheckReport) -> list[tuple[str, str, str]]:
    """Kind, rung, words: findings before warnings before notes."""
    said = [("note", "", note) for note in report.notes]
    for rung in report.rungs:
        said += [("finding", rung.label, line) for line in rung.findings]
        said += [("warning", rung.label, line) for line in rung.warnings]
        said += [("note", rung.label, line) for line in rung.notes]
    return sorted(said, key=lambda entry: ("finding", "warning", "note").index(entry[0]))


def budget(report: CheckReport) -> Iterator[Section]:
    grid = verdict_grid(report)
    if not grid.lines:
        return
    broken = sum(1 for line in grid.lines if line.kind)
    lead = f"{count(len(grid.lines), 'line')} of the budget ({report.budget}), "
    lead += f"{broken} of them broken." if broken else "all of them kept."
    yield Section("budget", "Budget", lead, "grids.html", {"grids": [grid]})


def layers(report: CheckReport) -> Iterator[Section]:
    if not report.explanations:
        return
    focus = explanation_of(report, focus_of(report))
    failed = {rung.artifact for rung in report.rungs if rung.failed}
    culprits = frozenset(
        (entry.artifact, entry.ranking[0])
        for entry in report.explanations
        if entry.ranking and entry.artifact in failed
    )
    yield Section(
        "layers",
        "Layers",
        "Where the error comes from: each layer of each file against the Keras layer of that name."
        + (" ▲ marks the culprit." if culprits else ""),
        "layers.html",
        {
            "maps": heat_maps(report.explanations, culprits),
            "files": file_views(report, focus.artifact if focus else ""),
        },
    )


def recurrent(report: CheckReport) -> Iterator[Section]:
    """Time, gates, states and lengths; files whose errors are equal are one line."""
    charts: list[Chart] = []
    for place, layer in enumerate(recurrent_layers(report.explanations)):
        for kind, draw in (("steps", steps_chart), ("gates", gates_chart), ("states", gates_chart)):
            series = series_of(report, layer, kind)
            if series:
                title = layer if draw is steps_chart else f"{layer}: {kind}"
                charts.append(draw(title, series, f"{kind}-{place}"))
    lengths = dict(list(lengths_of(report.explanations).items())[:MOST])
    if lengths:
        short = {variant(file): values for file, values in lengths.items()}
        charts.append(bars_chart("Error by length of the sequence", short, "lengths"))
    if charts:
        yield Section(
            "recurrent",
            "Time steps and gates",
            "Recurrent layers feed their error back: how it grows, and which gate it enters by.",
            "charts.html",
            {"charts": charts, "arranged": "gallery"},
        )


def gates_chart(title: str, series: Mapping[str, Mapping[str, float]], name: str) -> Chart:
    return bars_chart(title, series, name)


def recurrent_layers(explanations: Sequence[Explanation]) -> list[str]:
    return list(
        dict.fromkeys(
            error.layer
            for entry in explanations
            for error in entry.layers
            if error.steps or error.gates or error.states
        )
    )


def series_of(report: CheckReport, layer: str, kind: str) -> dict[str, Any]:
    """File → errors of one layer: those that failed first, as many as there are colours."""
    series = {
        variant(entry.artifact): getattr(error, kind)
        for entry, _ in by_suspicion(report)
        for error in entry.layers
        if error.layer == layer and getattr(error, kind)
    }
    return dict(list(series.items())[:MOST])


def histograms(report: CheckReport) -> Iterator[Section]:
    steps = list(islice(step_histograms(report), DRAWN))
    charts = [*islice(layer_histograms(report), DRAWN), *steps]
    if charts:
        yield Section(
            "integers",
            "Integers",
            "The integers that suspicious layers hold. Those at a limit are marked: zeros after a"
            " ReLU, or values that were clipped."
            + (" Then by how many steps outputs differ from the rung before." if steps else ""),
            "charts.html",
            {"charts": charts, "arranged": "gallery"},
        )


def layer_histograms(report: CheckReport) -> Iterator[Chart]:
    for a, (entry, failed) in enumerate(by_suspicion(report)):
        for b, layer in enumerate(suspects(entry)[: HISTOGRAMS[failed]]):
            title = f"{layer.layer} in {variant(entry.artifact)}"
            if layer.values is not None:
                yield values_chart(title, layer.values, f"values-{a}-{b}")


def step_histograms(report: CheckReport) -> Iterator[Chart]:
    for a, rung in enumerate(report.rungs):
        for b, (output, steps) in enumerate(rung.differences.items()):
            title = f"{rung.label}{of_output(report, output)}"
            yield differences_chart(title, steps, f"steps-off-{a}-{b}")


def by_suspicion(report: CheckReport) -> list[tuple[Explanation, bool]]:
    """Explained files, those that failed first, and whether they did."""
    failed = {rung.artifact for rung in report.rungs if rung.failed}
    pairs = [(entry, entry.artifact in failed) for entry in report.explanations]
    return sorted(pairs, key=lambda pair: not pair[1])


def suspects(explanation: Explanation) -> list[Any]:
    """The layers that rank highest."""
    by_name = {layer.layer: layer for layer in explanation.layers}
    known = [by_name[layer] for layer in explanation.ranking if layer in by_name]
    return [layer for layer in known if layer.values is not None]


def samples(report: CheckReport) -> Iterator[Section]:
    focus: Rung | None = focus_of(report)
    rungs, left_out = worst_samples(report, focus)
    if not rungs:
        return
    lead = "The samples on which each rung lies farthest from Keras, with both outputs."
    if left_out:
        lead += f" {count(left_out, 'sample')} found no room here; --json has all."
    yield Section("samples", "Worst samples", lead, "samples.html", {"rungs": rungs})


def pareto(report: CheckReport) -> Iterator[Section]:
    charts = []
    for place, output in enumerate(list(report.reference_metrics)[:1]):
        for metric in axes(report, output):
            chart = pareto_chart(report, output, metric, f"pareto-{place}-{metric}")
            charts += [chart] if chart else []
    if charts:
        yield Section(
            "pareto",
            "Size, latency, accuracy",
            "What a file costs and what it is worth. The dashed edge joins the rungs that no other"
            " beats in both; colour is latency.",
            "charts.html",
            {"charts": charts, "arranged": "pair"},
        )


def audit(report: CheckReport) -> Iterator[Section]:
    if report.audit is None:
        return
    found = report.audit.findings
    warnings = sum(1 for finding in found if finding.severity == "warning")
    lead = f"{count(report.audit.samples, 'calibration sample')} from {report.audit.calibration}: "
    lead += f"{count(warnings, 'warning')}, {count(len(found) - warnings, 'note')}."
    data = {"grids": audit_grids(report.audit), "found": found}
    yield Section("audit", "Calibration data", lead, "audit.html", data)


def streaming(report: CheckReport) -> Iterator[Section]:
    if report.streaming:
        failed = sum(1 for stream in report.streaming if not stream.passed)
        lead = "Whether a stream, chunk by chunk, gives what the whole sequence gives: "
        lead += f"{count(failed, 'check')} failed." if failed else "it does."
        data = {"grids": [streaming_grid(report.streaming)]}
        yield Section("streaming", "Streaming", lead, "grids.html", data)


def manifest(report: CheckReport) -> Iterator[Section]:
    if report.manifest:
        text = json.dumps(report.manifest, indent=2, ensure_ascii=False, sort_keys=True)
        data = {"text": text}
        yield Section("manifest", "Manifest", "How the bundle was made.", "manifest.html", data)


MAKERS: Final[tuple[Callable[[CheckReport], Iterator[Section]], ...]] = (
    ladder,
    numbers,
    budget,
    layers,
    recurrent,
    histograms,
    samples,
    pareto,
    audit,
    streaming,
    manifest,
)
