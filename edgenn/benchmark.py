"""How long artifacts take on targets, how much memory, and what that says of the devices."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from edgenn.data import Dataset
from edgenn.data.synthetic import random_samples
from edgenn.errors import (
    UnavailableError,
    UnsupportedError,
    UsageError,
)
from edgenn.manifest import Artifact
from edgenn.progress import Progress, silent
from edgenn.runners.facts import Facts
from edgenn.runners.findings import FINDINGS, without_path
from edgenn.runners.measuring import measure
from edgenn.runners.runner import RunResult
from edgenn.runners.target import Target
from edgenn.runners.worth import not_the_device
from edgenn.runtime.tensor_info import Array, TensorInfo
from edgenn.targets.choice import files_for, why_none
from edgenn.targets.fit import written_for
from edgenn.targets.memory import too_large

BENCH_TARGETS = ("cpu-xnnpack", "cpu-onnxruntime")

RANDOM = "random samples"
RANDOM_SAMPLES = 8


@dataclass(frozen=True)
class BenchRow:
    """One artifact on one target; ``None`` where nothing ran, or an engine does not know.

    Attributes:
        artifact: File name; empty where none fits the target.
        scheme: Quantisation scheme of the artifact; empty if not known.
        target: Name of the profile.
        engine: The runner that was measured.
        version: Of what ran; empty where nothing did.
        unit: What the times are of: a ``sample``, or a ``step`` of an artifact that runs one.
        latency_ms: The median after the warm-up.
        p90_ms: What 90 % of the runs stay below.
        first_run_ms: The very first run.
        load_ms: From a fresh process with the engine to an artifact that is ready to run.
        peak_memory_bytes: By how much the engine's process grew at most.
        not_the_device: Why the times say nothing of the device; empty where they do.
        estimator: Name and version of what gave the cost, where another engine did.
        facts: Where it ran, and what it costs there.
        warnings: From the engines.
        findings: What is wrong with the outputs, or why there is nothing.
        notes: Why there is nothing, where nobody asked for this target by name.
        exit_code: 0, or that of the error that ended it.
    """

    artifact: str
    scheme: str
    target: str
    engine: str = ""
    version: str = ""
    unit: str = "sample"
    latency_ms: float | None = None
    p90_ms: float | None = None
    first_run_ms: float | None = None
    load_ms: float | None = None
    peak_memory_bytes: int | None = None
    not_the_device: str = ""
    estimator: str = ""
    facts: Facts = field(default_factory=Facts)
    warnings: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    exit_code: int = 0


@dataclass(frozen=True)
class BenchReport:
    """All artifacts on all targets.

    Attributes:
        path: The artifact or bundle.
        data: Where the samples come from.
        runs: How many were measured.
        warmup: How many ran before.
        rows: Artifact by artifact, in the order of the targets.
    """

    path: str
    data: str
    runs: int
    warmup: int
    rows: tuple[BenchRow, ...]

    @property
    def exit_code(self) -> int:
        """The worst: 5 an engine crashed, 4 one is missing, 3 one refused, 1 wrong numbers."""
        worst = max((row.exit_code for row in self.rows), default=0)
        return worst or int(any(row.findings for row in self.rows))


@dataclass(frozen=True)
class Plan:
    """What is measured, and how.

    Attributes:
        runs: That count.
        warmup: Before them.
        data: Samples; random ones where there are none.
        every: Nobody asked for these targets by name: what is not installed, or takes none of
            the files, is a note.
    """

    runs: int
    warmup: int
    data: Dataset | None = None
    every: bool = False

    def samples(self, inputs: Sequence[TensorInfo]) -> Mapping[str, Array]:
        """What an artifact with these inputs runs on."""
        if self.data is None:
            return random_samples(inputs, RANDOM_SAMPLES)
        return self.data.inputs


def benchmark(
    path: Path,
    artifacts: Sequence[Artifact],
    targets: Sequence[Target],
    plan: Plan,
    progress: Progress = silent,
) -> BenchReport:
    """Runs one artifact after the other on one target after the other, each in a fresh process.

    Args:
        path: Of the only artifact, or the folder of them all.

    Raises:
        DataError: Samples that do not fit.
        UsageError: No run at all, or a target that takes none of the files.
    """
    if plan.runs < 1 or plan.warmup < 0:
        raise UsageError(f"{plan.runs} runs after {plan.warmup}: one run or more can be measured")
    taken = {target.name: files_for(target.profile, artifacts) for target in targets}
    without = [
        row_without_file(target, artifacts, plan) for target in targets if not taken[target.name]
    ]
    rows = [
        row_of(path / artifact.file if path.is_dir() else path, artifact, target, plan, progress)
        for artifact in artifacts
        for target in targets
        if artifact in taken[target.name]
    ]
    data = RANDOM if plan.data is None else plan.data.source
    return BenchReport(str(path), data, plan.runs, plan.warmup, (*rows, *without))


def row_without_file(target: Target, artifacts: Sequence[Artifact], plan: Plan) -> BenchRow:
    """What is said of a target that takes none of the files."""
    reason = f"takes none of the files ({why_none(target.profile, artifacts)})"
    if not plan.every:
        raise UsageError(f"{target.name} {reason}", written_for(target.name))
    return BenchRow("", "", target.name, notes=(reason,))


def row_of(
    file: Path, artifact: Artifact, target: Target, plan: Plan, progress: Progress
) -> BenchRow:
    """Time from the runner, cost from the estimator; where one fails the other's half stands."""
    row = BenchRow(artifact.file, artifact.scheme, target.name, target.runner.name)
    for engine in target.engines:
        try:
            if engine is target.runner and engine.gives_numbers:
                row = timed(row, file, artifact, target, plan, progress)
            else:
                row = with_cost(row, engine.estimate(file))
        except FINDINGS as error:
            reason = without_path(error, file)
            if plan.every and isinstance(error, UnavailableError):
                row = replace(row, notes=(*row.notes, reason))
            else:
                code = max(row.exit_code, error.exit_code)
                row = replace(row, findings=(*row.findings, reason), exit_code=code)
    if over := too_large(target.profile, artifact.size_bytes, row.facts.working_bytes):
        code = max(row.exit_code, UnsupportedError.exit_code)
        row = replace(row, findings=(*row.findings, *over), exit_code=code)
    return row


def timed(
    row: BenchRow, file: Path, artifact: Artifact, target: Target, plan: Plan, progress: Progress
) -> BenchRow:
    """The row with what the runner took."""
    steps = artifact.time_axes is not None
    runs = plan.warmup + plan.runs
    seen = measure(target.runner, file, plan.samples, runs, steps=steps, progress=progress)
    latencies_ms = seen.latencies_ms[plan.warmup :]
    facts = seen.facts
    return replace(
        row,
        version=seen.version,
        unit="step" if steps else "sample",
        latency_ms=statistics.median(latencies_ms),
        p90_ms=float(np.percentile(latencies_ms, 90)),
        first_run_ms=facts.first_run_ms,
        load_ms=facts.load_ms,
        peak_memory_bytes=facts.peak_memory_bytes,
        not_the_device=not_the_device(target.profile, facts),
        facts=facts,
        warnings=(*row.warnings, *seen.warnings),
        findings=(*row.findings, *seen.findings),
    )


def with_cost(row: BenchRow, estimate: RunResult) -> BenchRow:
    """The row with what an estimator knows of the device; its own time and memory are nothing."""
    cost = replace(estimate.facts, load_ms=None, peak_memory_bytes=None)
    return replace(
        row,
        estimator=estimate.version,
        facts=row.facts.joined(cost),
        warnings=(*row.warnings, *estimate.warnings),
        findings=(*row.findings, *estimate.findings),
    )
