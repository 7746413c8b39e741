"""Evaluation samples that are calibration samples too."""

from collections.abc import Iterator

from edgenn.audit.evidence import Evidence, check
from edgenn.audit.report import Finding
from edgenn.audit.words import listed, percent

SOME = 0.01
"""The share from which on the result may look better for it."""
NAMED = 100


@check("shared")
def shared_samples(evidence: Evidence) -> Iterator[Finding]:
    if evidence.evaluation is None:
        return
    known = set(evidence.calibration.digests)
    shared = [i for i, digest in enumerate(evidence.evaluation.digests) if digest in known]
    if not shared:
        return
    share = len(shared) / len(evidence.evaluation)
    yield Finding(
        "shared",
        "warning" if share >= SOME else "note",
        f"{len(shared):,} of {len(evidence.evaluation):,} evaluation samples are calibration"
        f" samples ({percent(share)}): number {listed(shared)}",
        "no range clips those: evaluate on others to see what is clipped in use",
        samples=tuple(shared[:NAMED]),
        share=share,
    )
