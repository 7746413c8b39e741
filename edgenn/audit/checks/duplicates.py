"""Calibration samples that are there more than once."""

from collections.abc import Iterator

from edgenn.audit.evidence import Evidence, check
from edgenn.audit.report import Finding
from edgenn.audit.words import listed, percent

MANY = 0.1
"""The share from which on the data are much fewer than they seem."""
NAMED = 100


@check("duplicates")
def duplicates(evidence: Evidence) -> Iterator[Finding]:
    first: dict[bytes, int] = {}
    again = [
        (index, first[digest])
        for index, digest in enumerate(evidence.calibration.digests)
        if first.setdefault(digest, index) != index
    ]
    if not again or len(first) == 1:  # one sample over and over: ``constant`` says it
        return
    share = len(again) / len(evidence.calibration)
    pairs = listed(f"{index} is {original}" for index, original in again)
    yield Finding(
        "duplicates",
        "warning" if share >= MANY else "note",
        f"{len(again):,} of {len(evidence.calibration):,} calibration samples are there before"
        f" ({percent(share)}): {pairs}",
        "they add nothing: take them out, or give others",
        samples=tuple(index for index, _ in again[:NAMED]),
        share=share,
    )
