"""Tensors that the evaluation data drive beyond what calibration saw: int8 clips it."""

from collections.abc import Iterator

from edgenn.audit.evidence import Evidence, check
from edgenn.audit.ranges import tensor_ranges
from edgenn.audit.report import Finding, TensorRange
from edgenn.audit.words import counted, listed, percent

NOTABLE = 0.01
BY_CHANCE = 3.0
"""Of samples that are like the n of the calibration data, 2 / (n + 1) lie beyond the smallest or
the largest of those; three times as many are no chance any more."""


@check("ranges")
def ranges(evidence: Evidence) -> Iterator[Finding]:
    if evidence.tensors is None or evidence.evaluation is None:
        return
    entries = tensor_ranges(evidence.tensors)
    outside = [entry for entry in entries if entry.samples_outside > 0]
    if not outside:
        return
    limit = max(NOTABLE, BY_CHANCE * 2 / (len(evidence.calibration) + 1))
    often = outside[0].samples_outside > limit
    yield Finding(
        "ranges",
        "warning" if often else "note",
        f"the evaluation data exceed the calibrated range of {len(outside)} of"
        f" {counted(len(entries), 'tensor')}: {listed(map(words, outside))}",
        "int8 clips there: add samples like these to the calibration data"
        if often
        else "no more often than samples of the same kind do by chance",
        tensors=tuple(entry.tensor for entry in outside),
        samples=tuple(dict.fromkeys(entry.worst_sample for entry in outside)),
        share=outside[0].samples_outside,
    )


def words(entry: TensorRange) -> str:
    far = f"by up to {100 * entry.excess:.1f} % of it" if entry.high > entry.low else "it was 0"
    return (
        f"{entry.tensor} in {percent(entry.samples_outside)} of the samples"
        f" ({far}, in sample {entry.worst_sample})"
    )
