"""Tensors that the evaluation data drive beyond what calibration saw: int8 clips it."""

from collections.abc import Iterator
from math import exp, lgamma, log

from edgenn.audit.evidence import Evidence, check
from edgenn.audit.ranges import tensor_ranges
from edgenn.audit.report import Finding, TensorRange
from edgenn.audit.words import counted, listed, percent

NOTABLE = 0.01
"""Share of the samples below which what is clipped decides nothing."""
CHANCE = 0.01
"""How likely it may be that samples of the same kind look like this in any of the tensors."""


@check("ranges")
def ranges(evidence: Evidence) -> Iterator[Finding]:
    if evidence.tensors is None or evidence.evaluation is None:
        return
    entries = tensor_ranges(evidence.tensors)
    outside = [entry for entry in entries if entry.samples_outside > 0]
    if not outside:
        return
    share, evaluated = outside[0].samples_outside, len(evidence.evaluation)
    chance = by_chance(round(share * evaluated), len(evidence.calibration), evaluated)
    unlike = share > NOTABLE and chance * len(entries) < CHANCE
    yield Finding(
        "ranges",
        "warning" if unlike else "note",
        f"the evaluation data exceed the calibrated range of {len(outside)} of"
        f" {counted(len(entries), 'tensor')}: {listed(map(words, outside))}",
        "int8 clips there: add samples like these to the calibration data"
        if unlike
        else "no more often than samples of the same kind do by chance",
        tensors=tuple(entry.tensor for entry in outside),
        samples=tuple(dict.fromkeys(entry.worst_sample for entry in outside)),
        share=share,
    )


def words(entry: TensorRange) -> str:
    far = f"by up to {100 * entry.excess:.1f} % of it" if entry.high > entry.low else "it was 0"
    return (
        f"{entry.tensor} in {percent(entry.samples_outside)} of the samples"
        f" ({far}, in sample {entry.worst_sample})"
    )


def by_chance(beyond: int, calibration: int, evaluation: int) -> float:
    """How likely so many evaluation samples lie beyond all calibration samples, at most.

    Where both are drawn alike, every order of all samples is equally likely, whatever their
    distribution: the ``k`` outermost are all evaluation samples in ``C(m, k) / C(n + m, k)`` of
    them (exceedances, Gumbel and von Schelling 1950). They may lie at either end, in ``k + 1``
    ways.
    """
    n, m, k = calibration, evaluation, beyond
    if k == 0:
        return 1.0
    # C(m, k) / C(n + m, k) = m! (n + m - k)! / ((m - k)! (n + m)!)
    order = lgamma(m + 1) - lgamma(m - k + 1) + lgamma(n + m - k + 1) - lgamma(n + m + 1)
    return min(1.0, exp(order + log(k + 1)))
