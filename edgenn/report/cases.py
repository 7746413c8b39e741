"""A check as cases that pass or fail: what CI systems show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from edgenn.drift import CheckReport, Rung
from edgenn.drift.budget.words import value_text
from edgenn.drift.explain.report import Explanation
from edgenn.drift.report import Verdict

Outcome = Literal["passed", "failed", "error", "skipped"]


@dataclass(frozen=True)
class Case:
    """One thing that was checked.

    Attributes:
        suite: The artifact; the model's name where it is about none.
        name: Which is the same from check to check.
        outcome: ``failed``: numbers are wrong; ``error``: there are none.
        message: One line: what is wrong, or why it was left out.
        details: More lines: the limit and where it comes from, the layer, what mends it.
    """

    suite: str
    name: str
    outcome: Outcome = "passed"
    message: str = ""
    details: tuple[str, ...] = ()


def cases_of(report: CheckReport) -> Iterator[Case]:
    """Every finding and every verdict, in the ladder's order."""
    because = {entry.artifact: tuple(explained(entry)) for entry in report.explanations}
    for rung in report.rungs:
        suite = rung.artifact or report.name
        yield from engine_cases(rung, suite)
        for verdict in rung.verdicts:
            yield verdict_case(rung, verdict, suite, because.get(rung.artifact, ()))
    for stream in report.streaming:
        outcome: Outcome = "passed" if stream.passed else "failed"
        name = f"{stream.target}: streaming equals batch"
        yield Case(stream.artifact, name, outcome, stream.finding)


def engine_cases(rung: Rung, suite: str) -> Iterator[Case]:
    """Whether it ran, and gave numbers that mean something."""
    name = f"{rung.label}: runs"
    if not rung.findings:
        outcome: Outcome = "skipped" if rung.notes and rung.metrics is None else "passed"
        yield Case(suite, name, outcome, "; ".join(rung.notes))
    for number, finding in enumerate(rung.findings, 1):
        counted = name if number == 1 else f"{name} ({number})"
        outcome = "error" if rung.exit_code else "failed"
        yield Case(suite, counted, outcome, f"{rung.label}: {finding}", rung.warnings)


def verdict_case(rung: Rung, verdict: Verdict, suite: str, because: tuple[str, ...]) -> Case:
    of = f" of {verdict.output}" if verdict.output else ""
    by = ", baseline" if verdict.source.startswith("baseline") else ""
    name = f"{rung.label}: {verdict.metric}{of}{by}"
    if verdict.passed:
        return Case(suite, name)
    value = value_text(verdict.metric, verdict.value)
    message = f"{rung.label}: {verdict.metric}{of} is {value}, limit: {verdict.rule}"
    return Case(suite, name, "failed", message, (f"budget: {verdict.source}", *because))


def explained(explanation: Explanation) -> Iterator[str]:
    """The layer that did it, and what mends it."""
    if explanation.sentence:
        yield f"layer: {explanation.sentence}"
    for remedy in explanation.remedies[:1]:
        before, after = (value_text(remedy.metric, v) for v in (remedy.before, remedy.after))
        yield f"remedy: edgenn convert {remedy.options} ({remedy.metric} {before} → {after})"


def by_suite(cases: Iterator[Case]) -> Mapping[str, list[Case]]:
    """The cases of each artifact, in order."""
    suites: dict[str, list[Case]] = {}
    for case in cases:
        suites.setdefault(case.suite, []).append(case)
    return suites
