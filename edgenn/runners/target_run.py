"""One artifact on one target: its numbers, where they come from, and what it costs there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edgenn.errors import EngineError, UnavailableError, UnsupportedError, UsageError
from edgenn.inspection import artifact_of_file
from edgenn.manifest import Artifact
from edgenn.progress import Progress
from edgenn.runners.runner import RunResult
from edgenn.runners.target import Target
from edgenn.runners.worth import not_the_device
from edgenn.runtime.tensor_info import Array
from edgenn.targets import Profile
from edgenn.targets.fit import misfit, written_for


@dataclass(frozen=True)
class TargetRun:
    """What ran, and where.

    Attributes:
        result: With the device's cost among its facts, where an estimator knows it.
        estimator: Name and version of what gave the cost, where another engine did.
        not_the_device: Why the times say nothing of the device; empty where they do.
    """

    result: RunResult
    estimator: str = ""
    not_the_device: str = ""


def fitting(path: Path, profile: Profile) -> Artifact:
    """What is known of a file that a target takes.

    Raises:
        ArtifactError: The file is missing or damaged.
        UsageError: The target does not take it.
    """
    artifact = artifact_of_file(path)
    if reason := misfit(profile, artifact):
        raise UsageError(f"{path} is not for {profile.name}: {reason}", written_for(profile.name))
    return artifact


def run_on(
    target: Target,
    artifact: Path,
    inputs: Mapping[str, Array],
    *,
    chunk: int | None = None,
    progress: Progress | None = None,
) -> TargetRun:
    """Numbers from the runner, or its error; what the estimator knows, or a warning why nothing."""
    result = target.runner.run(artifact, inputs, progress, chunk=chunk)
    why = not_the_device(target.profile, result.facts)
    if target.estimator is None:
        return TargetRun(result, not_the_device=why)
    try:
        estimate = target.estimator.estimate(artifact)
    except (EngineError, UnavailableError, UnsupportedError) as error:
        return TargetRun(replace(result, warnings=(*result.warnings, str(error))), "", why)
    result = replace(
        result,
        facts=result.facts.joined(estimate.facts),
        warnings=(*result.warnings, *estimate.warnings),
        findings=(*result.findings, *estimate.findings),
    )
    return TargetRun(result, estimate.version, why)
