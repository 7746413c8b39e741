"""The result of a check in one sentence, and what stands behind it."""

from dataclasses import dataclass
from typing import Final

from edgenn.drift import METRICS, CheckReport, Rung
from edgenn.drift.explain.report import Explanation
from edgenn.drift.report import Verdict
from edgenn.report.html.layers import remedy_text
from edgenn.report.html.words import count, title_of, value_words, with_unit

BROKEN_LINES: Final = 2
"""Of the budget, told at the top; the table below has all."""


@dataclass(frozen=True)
class Headline:
    """The sentence in parts, so that the page can set names off.

    Attributes:
        passed: Whether all is well.
        where: The first rung that is not.
        culprit: The layer that did it, where it is known.
        remedy: Options that ``convert`` accepts.
        reason: The rest, where no layer is named.
        details: One sentence each: the budget's line, the explanation, the remedy.
    """

    passed: bool
    where: str = ""
    culprit: str = ""
    remedy: str = ""
    reason: str = ""
    details: tuple[str, ...] = ()


def headline(report: CheckReport) -> Headline:
    """What a reader wants to know first."""
    rung = focus_of(report)
    if rung is None:
        failed = [stream for stream in report.streaming if not stream.passed]
        if failed:
            return Headline(False, reason=f"{count(len(failed), 'stream')} did not give what whole"
                            " sequences give.")  # fmt: skip
        return Headline(True, reason=passed_words(report))
    details = broken_lines(report, rung) or list(rung.findings[1:2])
    explanation = explanation_of(report, rung)
    if explanation is not None and explanation.ranking and rung.metrics is not None:
        best = explanation.remedies[0] if explanation.remedies else None
        details.append(explanation.sentence)
        if best is not None:
            details.append(f"With {best.options}: {remedy_text(best)}.")
        return Headline(
            False,
            rung.label,
            explanation.ranking[0],
            best.options if best else "",
            details=tuple(details),
        )
    if other := explained_failure(report):
        details.append(f"{other.artifact}: {other.sentence}")
    return Headline(False, rung.label, reason=reason(report, rung), details=tuple(details))


def reason(report: CheckReport, rung: Rung) -> str:
    """``accuracy is 91.1 %, 97.8 % is the limit.``; or the first finding."""
    lines = broken_verdicts(rung)
    if not lines:
        return next(iter(rung.findings), "")
    name, value = lines[0].metric, lines[0].value
    return (
        f"{title_of(name)}{of_layer(report, lines[0])} is {value_words(name, value)},"
        f" {with_unit(name, lines[0].limit)} is the limit."
    )


def broken_verdicts(rung: Rung) -> list[Verdict]:
    """Lines of the budget that a rung breaks, task metrics first."""
    broken = [line for line in rung.verdicts if not line.passed]
    return sorted(
        broken, key=lambda line: line.metric not in METRICS or not METRICS[line.metric].of_labels
    )


def focus_of(report: CheckReport) -> Rung | None:
    """The first rung that breaks the budget, or else the first with a finding."""
    broken = next((rung for rung in report.rungs if rung.label == report.first_break), None)
    return broken or next((rung for rung in report.rungs if rung.failed), None)


def explanation_of(report: CheckReport, rung: Rung | None) -> Explanation | None:
    """What is known of the layers of a rung's file."""
    if rung is None or not rung.artifact:
        return None
    return next((entry for entry in report.explanations if entry.artifact == rung.artifact), None)


def explained_failure(report: CheckReport) -> Explanation | None:
    """What is known of another file that failed."""
    failed = {rung.artifact for rung in report.rungs if rung.failed}
    return next((entry for entry in report.explanations if entry.artifact in failed), None)


def broken_lines(report: CheckReport, rung: Rung) -> list[str]:
    """``Accuracy is 91.1 %; the budget asks for …``; the first few."""
    broken = broken_verdicts(rung)
    words = [
        f"{sentence_case(title_of(line.metric))}{of_layer(report, line)} is"
        f" {value_words(line.metric, line.value)}; the budget asks for {line.rule} ({line.source})"
        for line in broken[:BROKEN_LINES]
    ]
    more = len(broken) - len(words)
    return [*words, f"{count(more, 'more line')} of the budget broken."] if more > 0 else words


def of_layer(report: CheckReport, line: Verdict) -> str:
    """Names the layer, or the output where there are several."""
    if not line.output or [line.output] == list(report.reference_metrics):
        return ""
    return f" of {line.output}"


def sentence_case(words: str) -> str:
    return words[:1].upper() + words[1:]


def passed_words(report: CheckReport) -> str:
    judged = sum(1 for rung in report.rungs if rung.verdicts)
    ran = sum(1 for rung in report.rungs if rung.metrics is not None)
    if judged:
        return f"all {count(judged, 'rung')} within the budget." if judged > 1 else "within budget."
    return f"{count(ran, 'rung')} ran without a finding."
