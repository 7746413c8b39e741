"""Holds the limits of layers against what was found about an artifact's layers."""

from collections.abc import Iterable, Iterator
from typing import Final

from edgenn.drift.budget.reading import LAYER_NUMBERS
from edgenn.drift.budget.schema import Budget, LayerLine
from edgenn.drift.explain.report import LayerError
from edgenn.drift.report import Verdict

WORDS: Final = {
    "excess": "its own error in units of what rounding explains",
    "introduced": "its own error as a share of its output",
    "total": "all of its error as a share of its output",
}


def judge_layers(layers: Iterable[LayerError], budget: Budget) -> tuple[Verdict, ...]:
    """Every layer beyond a limit, the worst first; where there is none, the one that is nearest.

    ``Verdict.output`` is the layer's path, ``Verdict.metric`` the field of ``LayerError``.
    """
    layers = tuple(layers)
    return tuple(
        verdict
        for number in LAYER_NUMBERS
        for verdict in worst_of(list(verdicts_of(number, layers, budget)))
    )


def verdicts_of(number: str, layers: Iterable[LayerError], budget: Budget) -> Iterator[Verdict]:
    for layer in layers:
        line = budget.limit_of_layer(number, layer.layer)
        if line is not None:
            yield verdict_of(number, layer, line)


def verdict_of(number: str, layer: LayerError, line: LayerLine) -> Verdict:
    assert line.limit is not None
    value = float(getattr(layer, number))
    rule = f"{number} ≤ {line.limit:.3g}: {WORDS[number]}"
    return Verdict(number, layer.layer, line.limit, value, value <= line.limit, rule, line.source)


def worst_of(verdicts: list[Verdict]) -> list[Verdict]:
    ordered = sorted(verdicts, key=share_of_limit, reverse=True)
    failed = [verdict for verdict in ordered if not verdict.passed]
    return failed or ordered[:1]


def share_of_limit(verdict: Verdict) -> float:
    value = verdict.value
    if value is None or value != value:  # NaN is worse than any number
        return float("inf")
    return value / verdict.limit if verdict.limit else value
