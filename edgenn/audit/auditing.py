"""Audits calibration data: collects the evidence, runs every check."""

from collections.abc import Iterable

from edgenn.audit import checks
from edgenn.audit.checks.dead_channels import rectified
from edgenn.audit.evidence import CHECKS, Evidence
from edgenn.audit.lookups import count_lookups
from edgenn.audit.ranges import tensor_ranges
from edgenn.audit.report import Audit, Finding, InputRange
from edgenn.audit.survey import Survey, survey
from edgenn.audit.tensors import Write, run
from edgenn.data import Dataset
from edgenn.ir.graph import Graph
from edgenn.progress import Progress, silent
from edgenn.registration import import_modules

import_modules(checks)


def audit(
    float_graph: Graph,
    calibration: Dataset,
    evaluation: Dataset | None = None,
    *,
    write: Write,
    progress: Progress = silent,
) -> Audit:
    """Whether calibration data are good enough for what the evaluation data ask of them.

    Each sample is read once to be looked at and once to be run; memory is that of one batch and
    16 bytes a sample.

    Args:
        float_graph: The model. Where its loops are laid flat, the tensors inside count too.
        write: The exporter: graph → bytes of a .tflite file.

    Raises:
        DataError: Samples that do not fit, make a tensor NaN or infinite, or look up rows that
            a table does not have.
        EngineError: The engine crashed or took too long.
    """
    own = survey(float_graph, calibration)
    other = None if evaluation is None else survey(float_graph, evaluation)
    lookups = count_lookups(float_graph, calibration, progress)
    evaluated = {} if evaluation is None else count_lookups(float_graph, evaluation, progress)
    magnitudes = rectified(float_graph)
    tensors = run(float_graph, calibration, evaluation, write, progress, magnitudes=magnitudes)
    evidence = Evidence(float_graph, own, other, tensors, lookups, evaluated)
    return Audit(
        name=float_graph.name,
        calibration=calibration.source,
        samples=len(own),
        evaluation="" if evaluation is None else evaluation.source,
        evaluation_samples=0 if other is None else len(other),
        findings=tuple(findings(evidence)),
        inputs=tuple(input_ranges(own, other)),
        tensors=tensor_ranges(tensors),
    )


def quick_findings(float_graph: Graph, calibration: Survey) -> tuple[Finding, ...]:
    """What the calibration samples tell by themselves, without running the model."""
    return tuple(findings(Evidence(float_graph, calibration)))


def findings(evidence: Evidence) -> list[Finding]:
    """Of all checks, warnings first."""
    found = [finding for check in CHECKS.values() for finding in check(evidence)]
    return sorted(found, key=lambda finding: finding.severity != "warning")


def input_ranges(own: Survey, other: Survey | None) -> Iterable[InputRange]:
    for public, extremes in own.inputs.items():
        range_ = extremes.range
        if other is None:
            yield InputRange(public, range_.low, range_.high)
        else:
            seen = other.inputs[public].range
            yield InputRange(public, range_.low, range_.high, seen.low, seen.high)
