"""Holds a budget against a rung.

A number that stands in the budget (``min``, ``max``) is held to the letter. A comparison with
Keras or with a baseline is one of two estimates on the same samples: it fails only where even the
optimistic end of the 95 % interval of the difference is beyond the limit, so that "worse by
0.3 % ± 0.5 %" is called no regression.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgenn.drift.budget.baseline import Baseline
from edgenn.drift.budget.reading import is_agreement
from edgenn.drift.budget.schema import TASK, TASKS, Budget, Condition, Line
from edgenn.drift.budget.words import bound_text, difference_text, number_text, share_text
from edgenn.drift.metrics import METRICS, Value
from edgenn.drift.report import Metrics, Rung, Verdict

Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""


def judge(
    rung: Rung, budget: Budget, of_keras: Metrics, baseline: Baseline | None = None
) -> tuple[Verdict, ...]:
    """The lines of a budget that hold for a rung; none where it gave no outputs.

    Args:
        of_keras: Output name → task metric → value of Keras on the same samples.
        baseline: Lines of it are left out where there is none, or where it lacks the rung.
    """
    verdicts: list[Verdict] = []
    scheme = rung.scheme or "float32"  # of the graph that no file has
    for output, values in (rung.metrics or {}).items():
        keras = of_keras.get(output, {})
        before = {} if baseline is None else baseline.metrics_of(rung).get(output, {})
        case = Case(rung, output, values, keras, before)
        for metric, line in budget.lines_for(rung.target, scheme, "limit").items():
            verdicts += case.by_number(metric, line)
            verdicts += case.by_keras(metric, line)
        for metric, line in budget.lines_for(rung.target, scheme, "baseline").items():
            verdicts += case.by_baseline(metric, line)
    return tuple(verdicts)


@dataclass(frozen=True)
class Case:
    """One output of a rung, and what it is held against."""

    rung: Rung
    output: str
    values: Mapping[str, Value]
    keras: Mapping[str, Value]
    before: Mapping[str, Value]

    @property
    def truths(self) -> dict[Condition, bool]:
        """What conditions of a budget ask for.

        The divergence from Keras's classes has a value only where the output holds probabilities.
        """
        labelled = any(value is not None for name, value in self.keras.items() if name in TASKS)
        classes = self.values.get("kl") is not None
        return {"labelled": labelled, "unlabelled": not labelled, "classes": classes}

    def by_number(self, metric: str, line: Line) -> Iterator[Verdict]:
        """Against ``min`` or ``max``."""
        assert line.limit is not None
        limit = line.limit.min if line.limit.min is not None else line.limit.max
        if limit is None or not line.limit.applies(self.truths):
            return
        value = self.values.get(metric)
        if value is None:
            yield from self.without_value(metric, line, limit)
            return
        passed = within(metric, value, limit)
        yield self.verdict(metric, limit, passed, bound_text(metric, limit), line.source)

    def by_keras(self, metric: str, line: Line) -> Iterator[Verdict]:
        """Against a share of what Keras has on the same samples."""
        assert line.limit is not None
        share = line.limit.of_keras
        if share is None or not line.limit.applies(self.truths):
            return
        agreement = is_agreement(metric)
        keras = 1.0 if agreement else self.keras.get(metric)
        value = self.values.get(metric)
        if keras is None or value is None:
            yield from self.without_value(metric, line, math.nan)
            return
        limit = beyond(metric, keras, share)
        best = share_at_best(value, self.rung.samples) if agreement else self.at_best(metric, value)
        rule = f"{bound_text(metric, limit)}, {in_shares(metric, share)} of Keras"
        if not agreement:
            rule += f"'s {number_text(metric, keras)}"
        rule += self.in_doubt(metric, value, keras, limit, best)
        yield self.verdict(metric, limit, within(metric, best, limit), rule, line.source)

    def by_baseline(self, metric: str, line: Line) -> Iterator[Verdict]:
        """Against a share of what the same rung had when the baseline was stored."""
        assert line.limit is not None
        share, before = line.limit.of_baseline, self.before.get(metric)
        if share is None or before is None or not line.limit.applies(self.truths):
            return
        value = self.values.get(metric)
        if value is None:
            yield from self.without_value(metric, line, math.nan)
            return
        limit = beyond(metric, before, share)
        best = self.at_best(metric, value)
        rule = f"{bound_text(metric, limit)}, {in_shares(metric, share)} of the baseline's"
        rule += f" {number_text(metric, before)}" + self.in_doubt(
            metric, value, before, limit, best
        )
        passed = within(metric, best, limit)
        yield self.verdict(metric, limit, passed, rule, f"baseline, {line.source}")

    def at_best(self, metric: str, value: float) -> float:
        """The optimistic end of a value's 95 % interval; the value where nothing is known of it."""
        keras = self.keras.get(metric)
        interval = self.rung.intervals.get(self.output, {}).get(metric)
        if keras is None or interval is None or math.isnan(value):
            return value
        low, high = interval
        return max(value, keras + high) if is_higher(metric) else min(value, keras + low)

    def in_doubt(self, metric: str, value: float, than: float, limit: float, best: float) -> str:
        """``: worse by 0.3 % ± 0.5 %``, where it is worse at all."""
        worse = than - value if is_higher(metric) else value - than
        if not worse > 0:
            return ""
        interval = self.rung.intervals.get(self.output, {}).get(metric)
        half = abs(best - value) if interval is None else (interval[1] - interval[0]) / 2
        chance = not within(metric, value, limit) and within(metric, best, limit)
        words = difference_text(metric, worse, half or None)
        return f": {words}" + (", which may be chance" if chance else "")

    def without_value(self, metric: str, line: Line, limit: float) -> Iterator[Verdict]:
        """A file that limits what is not there must not pass in silence."""
        if line.shipped:
            return
        if line.metric == TASK and (self.truths["labelled"] or metric != TASKS[0]):
            return  # one of all these is enough, and one complaint
        why = "needs labels that fit" if METRICS[metric].of_labels else "has no meaning here"
        yield self.verdict(metric, limit, False, f"{line.metric}: no value, it {why}", line.source)

    def verdict(self, metric: str, limit: float, passed: bool, rule: str, source: str) -> Verdict:
        value = self.values.get(metric)
        return Verdict(metric, self.output, limit, value, passed, rule, source)


def is_higher(metric: str) -> bool:
    return METRICS[metric].better == "higher"


def within(metric: str, value: float, limit: float) -> bool:
    """Whether a value keeps to its limit; NaN does not."""
    return value >= limit if is_higher(metric) else value <= limit


def factor(metric: str, share: float) -> float:
    """What a share comes to: 0.99 is 1/0.99 for a metric that is better when lower."""
    return share if is_higher(metric) or share > 1 else 1 / share


def beyond(metric: str, than: float, share: float) -> float:
    """The limit; for numbers below 0, which R² can be, as far on the worse side as for others."""
    return than + (factor(metric, share) - 1) * abs(than)


def in_shares(metric: str, share: float) -> str:
    return share_text(factor(metric, share))


def share_at_best(share: float, samples: int) -> float:
    """Upper end of the 95 % interval of a share of so many samples.

    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    if not samples or math.isnan(share):
        return share
    z2 = Z * Z / samples
    spread = Z * math.sqrt(share * (1 - share) / samples + z2 / (4 * samples))
    return max(share, min(1.0, (share + z2 / 2 + spread) / (1 + z2)))  # share 1 is not rounded off
