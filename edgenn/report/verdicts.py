"""A budget's verdicts, and what a check comes to, in words."""

from collections.abc import Iterator

from rich.markup import escape

from edgenn.drift import CheckReport, Rung
from edgenn.drift.budget.schema import DEFAULT
from edgenn.drift.budget.words import value_text
from edgenn.drift.explain import Explanation


def verdict_lines(rung: Rung) -> Iterator[str]:
    """The lines of the budget that a rung breaks."""
    several = len({verdict.output for verdict in rung.verdicts}) > 1
    for verdict in rung.verdicts:
        if verdict.passed:
            continue
        value = value_text(verdict.metric, verdict.value)
        of = f"{verdict.output}: " if several and verdict.output else ""
        source = "" if verdict.source == "default" else f" ({verdict.source})"
        yield f"{of}{verdict.metric} {value}, allowed is {verdict.rule}{source}"


def conclusion(report: CheckReport) -> Iterator[str]:
    """Passed or failed, where it breaks first, and what may help; rich's markup."""
    if report.exit_code == 0:
        yield f"[green]passed[/]: every rung keeps to {budget_words(report)}"
        return
    first = report.first_break
    if not first:
        yield "[red]failed[/]: see above"
        return
    yield f"[red]failed[/]: {escape(first)} is the first rung that breaks {budget_words(report)}"
    rung = next(rung for rung in report.rungs if rung.label == first)
    for explanation in report.explanations:
        if explanation.artifact == rung.artifact:
            yield from advice(explanation)
            return
    if not report.explanations:
        yield "--explain says which layer does it"


def advice(explanation: Explanation) -> Iterator[str]:
    """The culprit, and the words that would help most."""
    yield f"[bold]{escape(explanation.sentence)}[/]"
    if explanation.remedies:
        yield f"what would help most: edgenn convert … {escape(explanation.remedies[0].options)}"


def budget_words(report: CheckReport) -> str:
    if report.budget == DEFAULT:
        return "the default budget"
    return f"the budget {escape(report.budget)}"
