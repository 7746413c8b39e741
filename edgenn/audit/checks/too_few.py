"""Too few calibration samples: by their number, and by how far two halves of them disagree."""

from collections.abc import Iterator

from edgenn.audit.evidence import Evidence, check
from edgenn.audit.ranges import disagreements
from edgenn.audit.report import Finding
from edgenn.audit.words import counted, listed, percent

FEW = 32
"""Below it a set is too small without a further look; the usual advice is 100 to 500."""
DISAGREE = 0.2
"""ai-edge-quantizer's rule: a set is too small where two disjoint runs differ by more."""
MORE = "100 to 500 typical samples are usual"


@check("few")
def too_few(evidence: Evidence) -> Iterator[Finding]:
    """Sequences count by their steps where the model takes any number of them."""
    seen = len(evidence.calibration)
    if seen * evidence.calibration.steps < FEW:
        message = f"only {counted(seen, 'calibration sample')} to take the ranges of tensors from"
        yield Finding("few", "warning", message, MORE)
    if evidence.tensors is None:
        return
    apart = disagreements(evidence.tensors)
    far = {name: value for name, value in apart.items() if value > DISAGREE}
    if far:
        worst = sorted(far, key=lambda name: -far[name])
        share = len(far) / len(apart)
        yield Finding(
            "few",
            "warning",
            f"two halves of the calibration data disagree by more than {percent(DISAGREE)} about"
            f" the range of {len(far)} of {counted(len(apart), 'tensor')}:"
            f" {listed(f'{name} ({percent(far[name])})' for name in worst)}",
            f"the set is too small, or a few samples are unlike the others; {MORE}",
            tensors=tuple(worst),
            share=share,
        )
