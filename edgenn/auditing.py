"""Calibration data on their way into a conversion, and the audit of them."""

import os
import warnings
from typing import Any

from edgenn import compiler
from edgenn.audit import Audit, audit, quick_findings, real_inputs
from edgenn.audit.survey import survey
from edgenn.data import Dataset, load
from edgenn.errors import EdgennWarning
from edgenn.ir.graph import Graph
from edgenn.manifest import Calibration
from edgenn.progress import Progress


def seen_calibration(graph: Graph, data: Dataset, given: Any) -> Calibration:
    """What the manifest says of calibration data; warns of what they show by themselves.

    Args:
        given: What the user gave: a file keeps its name.

    Raises:
        DataError: Samples that do not fit the graph.
    """
    seen = survey(graph, data)
    for finding in quick_findings(graph, seen):
        if finding.severity == "warning":
            warnings.warn(EdgennWarning(str(finding)), stacklevel=3)
    ranges = {public: seen.inputs[public].range for public in real_inputs(graph)}
    return Calibration(
        data.sha256,
        len(data),
        source=str(given) if isinstance(given, str | os.PathLike) else "",
        ranges={public: (range_.low, range_.high) for public, range_ in ranges.items()},
    )


def audited(graph: Graph, calibration: Any, data: Any, progress: Progress) -> Audit:
    """The audit of data from wherever the user has them."""
    inputs = list(graph.inputs)
    own = load(calibration, inputs, split="calibration")
    other = None if data is None else load(data, inputs, split="test")
    return audit(graph, own, other, write=compiler.to_tflite_bytes, progress=progress)
