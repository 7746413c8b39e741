"""Evaluation data on another scale than the calibration data: 0..255 against 0..1."""

from collections.abc import Iterator

from edgenn.audit.evidence import Evidence, check
from edgenn.audit.report import Finding
from edgenn.audit.roles import real_inputs
from edgenn.audit.scaling import REMEDY, scale_words


@check("scaling")
def scaling(evidence: Evidence) -> Iterator[Finding]:
    if evidence.evaluation is None:
        return
    samples = min(len(evidence.calibration), len(evidence.evaluation))
    for public in real_inputs(evidence.graph):
        own, other = (e.inputs[public].range for e in (evidence.calibration, evidence.evaluation))
        words = scale_words(public, own, other, samples)
        if words:
            yield Finding("scaling", "warning", words, REMEDY, tensors=(public,))
