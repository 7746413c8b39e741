"""One rung of the ladder: numbers from the runner, cost from the estimator."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from edgenn.bundle import SAME_PORTS, Ports
from edgenn.data import Dataset
from edgenn.drift.outputs import OutputStore
from edgenn.drift.report import Rung
from edgenn.errors import ArtifactError, EdgennError, UnavailableError, UnsupportedError
from edgenn.manifest import Artifact
from edgenn.progress import Progress
from edgenn.runners import Facts
from edgenn.runners.findings import FINDINGS, without_path
from edgenn.runners.target import Target
from edgenn.runtime.tensor_info import Array
from edgenn.targets.memory import too_large

TIMED: Final = 100
"""Samples that run one at a time, for the latency; the others run in batches."""
UNTIMED: Final = 2
"""The same where the latency says nothing: enough to see that batches give the same."""


THREADS: Final = os.cpu_count() or 1
"""That share the samples that are not timed, where an engine can."""


@dataclass
class Said:
    """What a rung's engines have to say besides numbers."""

    findings: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=lambda: [0])
    facts: Facts = field(default_factory=Facts)
    estimator: str = ""


def climb(
    path: Path,
    artifact: Artifact,
    target: Target,
    data: Dataset,
    outputs: OutputStore,
    progress: Progress | None,
    ports: Ports = SAME_PORTS,
) -> Rung:
    """Runs an artifact; its outputs go to ``outputs``, the comparison comes later.

    An engine that fails is a finding, not the end; the other's half stands all the same.
    """
    said = Said()
    estimated(path, target, said)
    inputs = ports.given(taken(data, artifact, target))
    rung = Rung(
        artifact.file,
        artifact.scheme,
        target.name,
        target.runner.name,
        time=target.profile.judge.time,
        estimator=said.estimator,
        size_bytes=artifact.size_bytes,
    )

    def sink(part: Mapping[str, Array]) -> None:
        outputs.append(ports.named(part))

    timed = UNTIMED if rung.time == "none" else TIMED
    try:
        result = target.runner.run(path, inputs, progress, sink=sink, timed=timed, workers=THREADS)
    except FINDINGS as error:
        return replace(
            rung,
            warnings=tuple(said.warnings),
            findings=(*said.findings, without_path(error, path)),
            exit_code=max(*said.codes, code_of(error)),
            facts=said.facts,
        )
    facts = result.facts.joined(said.facts)
    if over := too_large(target.profile, artifact.size_bytes, facts.working_bytes):
        said.findings += over
        said.codes.append(UnsupportedError.exit_code)
    return replace(
        rung,
        version=result.version,
        metrics={},
        latency_ms=result.latency_ms,
        warnings=(*said.warnings, *result.warnings),
        findings=(*said.findings, *result.findings),
        exit_code=max(said.codes),
        facts=facts,
        samples=len(outputs),
    )


def estimated(path: Path, target: Target, said: Said) -> None:
    """What the estimator knows of the file."""
    if target.estimator is None:
        return
    try:
        estimate = target.estimator.estimate(path)
    except FINDINGS as error:
        said.findings.append(without_path(error, path))
        said.codes.append(code_of(error))
    else:
        said.facts, said.estimator = estimate.facts, estimate.version
        said.warnings += estimate.warnings
        said.findings += estimate.findings


def taken(data: Dataset, artifact: Artifact, target: Target) -> Mapping[str, Array]:
    """The samples, or the first ones where a slow target would take too long for all."""
    most = target.profile.judge.macs
    if most is None or artifact.macs == 0:
        return data.inputs
    count = max(1, min(len(data), most // artifact.macs))
    return {name: array[:count] for name, array in data.inputs.items()}


def excused(rung: Rung) -> Rung:
    """A target that is not installed is no failure where nobody asked for it."""
    if rung.exit_code != UnavailableError.exit_code:
        return rung
    return Rung(rung.artifact, rung.scheme, rung.target, rung.engine, notes=rung.findings)


def code_of(error: EdgennError) -> int:
    """The exit code of a finding."""
    if isinstance(error, ArtifactError):  # the file is as it was written: this engine refuses it
        return UnsupportedError.exit_code
    return error.exit_code
