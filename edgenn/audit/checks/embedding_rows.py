"""Rows of embeddings that no calibration sample looks up."""

from collections.abc import Iterator

import numpy as np

from edgenn.audit.evidence import Evidence, check
from edgenn.audit.report import Finding
from edgenn.audit.words import listed, percent

SOME = 0.01
"""The share of lookups from which on unseen rows are more than a rarity."""


@check("embedding rows")
def embedding_rows(evidence: Evidence) -> Iterator[Finding]:
    for layer, counts in evidence.lookups.items():
        unseen = counts == 0
        if not unseen.any():
            continue
        share = float(unseen.mean())
        message = (
            f"no calibration sample looks up {int(unseen.sum()):,} of {len(counts):,} rows of"
            f" {layer!r} ({percent(share)}): {listed(np.flatnonzero(unseen).tolist())}"
        )
        remedy = "the layers behind have never met them: give samples that use what is used"
        yield Finding("embedding rows", "note", message, remedy, (layer,), share=share)
        if layer in evidence.evaluation_lookups:
            yield from only_evaluated(layer, unseen, evidence.evaluation_lookups[layer])


def only_evaluated(layer: str, unseen: np.ndarray, counts: np.ndarray) -> Iterator[Finding]:
    """Rows that the evaluation data use and the calibration data do not."""
    used = counts * unseen
    if not used.any():
        return
    share = float(used.sum() / counts.sum())
    most = np.argsort(-used, kind="stable")[: int((used > 0).sum())]
    yield Finding(
        "embedding rows",
        "warning" if share >= SOME else "note",
        f"the evaluation data look up {len(most):,} rows of {layer!r} that calibration never saw"
        f" ({percent(share)} of all lookups): {listed(most.tolist())}",
        "add samples that use them to the calibration data",
        (layer,),
        share=share,
    )
