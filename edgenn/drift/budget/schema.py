"""What a budget is: limits for metrics, each for some rungs of the ladder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat, field_validator

from edgenn.drift.metrics import METRICS

TASK: Final = "task"
"""In a file: every metric that compares with labels, unless a line names one of them."""

TASKS: Final = tuple(name for name, metric in METRICS.items() if metric.of_labels)

OFF: Final = "off"
"""In a file, in the place of limits: none."""

DEFAULT: Final = "default"
"""Name of the budget that comes with edgenn, and of its verdicts."""


Condition = Literal["labelled", "unlabelled", "classes"]


class Limit(BaseModel):
    """What a metric may be at worst.

    Attributes:
        min: For metrics that are better when higher.
        max: For metrics that are better when lower.
        of_keras: Share of what Keras has: at least this share where higher is better, at most its
            reciprocal (or the number itself, if it is above 1) where lower is.
        of_baseline: The same of what the stored baseline has.
        when: Only for some outputs, those of which all of these are true: ``labelled``, labels say
            how good it is; ``unlabelled``, the opposite; ``classes``, its numbers are
            probabilities of classes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: float | None = None
    max: float | None = None
    of_keras: PositiveFloat | None = None
    of_baseline: PositiveFloat | None = None
    when: tuple[Condition, ...] = ()

    @field_validator("when", mode="before")
    @classmethod
    def one_or_several(cls, value: Any) -> Any:
        """A word alone is a list of it."""
        return [value] if isinstance(value, str) else value

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it limits by: ``limit`` (numbers and Keras), ``baseline``, or both."""
        by_number = not (self.min is self.max is self.of_keras is None)
        by_baseline = self.of_baseline is not None
        return ("limit",) * by_number + ("baseline",) * by_baseline

    def applies(self, truths: Mapping[Condition, bool]) -> bool:
        """Whether it holds for an output of which these things are true."""
        return all(truths[condition] for condition in self.when)


@dataclass(frozen=True)
class Line:
    """One line of a file.

    Attributes:
        metric: Of METRICS, or ``TASK``.
        limit: ``None`` where it is off.
        source: The file and the table, for people: ``budget.toml [scheme.int8]``.
        target: The only one that it is for; all where it is ``None``.
        scheme: Likewise.
        shipped: It is of the default, which asks for no metric that an output cannot have.
    """

    metric: str
    limit: Limit | None
    source: str
    target: str | None = None
    scheme: str | None = None
    shipped: bool = False

    @property
    def weight(self) -> tuple[bool, bool, bool]:
        """Lines with more of it come first: a file's own, those of a target, those of a scheme."""
        return (not self.shipped, self.target is not None, self.scheme is not None)

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("limit", "baseline") if self.limit is None else self.limit.kinds


@dataclass(frozen=True)
class LayerLine:
    """A limit for layers: for one, or for all that have none of their own.

    Attributes:
        number: Field of ``LayerError`` that it limits.
        limit: Its largest value; ``None`` where it is off.
    """

    number: str
    limit: float | None
    source: str
    layer: str | None = None


@dataclass(frozen=True)
class Budget:
    """All limits, those of a file and, below them, those that come with edgenn.

    Attributes:
        name: ``default``, or the file.
        lines: Of metrics, the most important first.
        layer_lines: Of layers, likewise.
    """

    name: str
    lines: tuple[Line, ...]
    layer_lines: tuple[LayerLine, ...] = ()

    @property
    def needs_baseline(self) -> str:
        """Where the file itself asks for a baseline; empty where it does not."""
        own = (line for line in self.lines if not line.shipped and line.limit is not None)
        return next((line.source for line in own if "baseline" in line.kinds), "")

    def lines_for(self, target: str, scheme: str, kind: str) -> dict[str, Line]:
        """Metric → the line that holds for a rung.

        Args:
            kind: ``limit`` or ``baseline``.
        """
        found: dict[str, Line] = {}
        for line in self.lines:
            fits = line.target in (None, target) and line.scheme in (None, scheme)
            if fits and kind in line.kinds:
                found.setdefault(line.metric, line)
        return dict(spread(found))

    def limit_of_layer(self, number: str, layer: str) -> LayerLine | None:
        """The line that holds for a layer; ``None`` where nothing limits it."""
        fits = (li for li in self.layer_lines if li.number == number and li.layer in (None, layer))
        line = next(fits, None)
        return None if line is None or line.limit is None else line


def spread(lines: Mapping[str, Line]) -> Iterator[tuple[str, Line]]:
    """Lines that are on, with every task metric for ``TASK``.

    Whoever names a task metric has said which one counts.
    """
    on = {metric: line for metric, line in lines.items() if line.limit is not None}
    named = any(name in on for name in TASKS)
    for metric, line in on.items():
        if metric != TASK:
            yield metric, line
        elif not named:
            yield from ((name, line) for name in TASKS if name not in lines)
