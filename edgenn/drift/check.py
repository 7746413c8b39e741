"""Runs every artifact of a bundle on every target and compares with Keras."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

import numpy as np

from edgenn.bundle import Bundle
from edgenn.data import Dataset
from edgenn.drift.compare import compare, metrics
from edgenn.drift.metrics import Value
from edgenn.drift.peers import Peers
from edgenn.drift.report import CheckReport, Rung
from edgenn.errors import (
    ArtifactError,
    EdgennError,
    UnavailableError,
    UnsupportedError,
    UsageError,
)
from edgenn.manifest import Artifact
from edgenn.progress import Progress
from edgenn.runners import Facts
from edgenn.runners.findings import FINDINGS, without_path
from edgenn.runners.target import Target
from edgenn.runtime.tensor_info import Array
from edgenn.targets.choice import files_for, why_none
from edgenn.targets.fit import written_for
from edgenn.targets.memory import too_large

Outputs = Mapping[str, Array]
Predict = Callable[[Dataset], Outputs]
"""Keras's predictions: output name → array."""


def check_bundle(
    bundle: Bundle,
    data: Dataset,
    predict: Predict | None,
    targets: Sequence[Target],
    *,
    every: bool = False,
    progress: Progress | None = None,
) -> CheckReport:
    """Climbs the ladder: each artifact on each target that takes it.

    Args:
        data: Real numbers as the Keras model takes them, by input name.
        predict: Computes the reference where none is stored for these data.
        targets: The rungs; each engine is started once.
        every: Nobody asked for these targets by name: one that is not installed, or that takes
            none of the files, is a note.

    Raises:
        UsageError: There is no reference for these data, or no file for a target.
        DataError: Samples that do not fit.
        ArtifactError: An artifact that is damaged or lacks an output.
    """
    files = {target.name: fitting(bundle, target, every=every) for target in targets}
    source, reference = reference_outputs(bundle, data, predict)
    rungs: list[Rung] = []
    with ExitStack() as stack:
        opened = {target.name: stack.enter_context(target) for target in targets}
        peers = Peers(bundle, data, opened, stack)
        for target in targets:
            taken = files[target.name]
            if isinstance(taken, str):
                rungs.append(Rung("", "", target.name, notes=(taken,)))
                continue
            for artifact in taken:
                rung = climb(bundle, artifact, target, data, reference, peers, progress)
                rungs.append(excused(rung) if every else rung)
    order = list(bundle.artifacts)
    rungs.sort(key=lambda rung: order.index(rung.artifact) if rung.artifact else len(order))
    of_keras = {name: metrics(array, array, data, reference) for name, array in reference.items()}
    return CheckReport(
        bundle.manifest.name,
        data.source,
        data.sha256,
        len(data),
        source,
        of_keras,
        tuple(rungs),
        label_notes(data, reference, of_keras),
    )


def fitting(bundle: Bundle, target: Target, *, every: bool) -> Sequence[Artifact] | str:
    """The files that were written for a target, else all that it takes; or why there are none.

    Raises:
        UsageError: There are none, and the target was asked for by name.
    """
    artifacts = bundle.manifest.artifacts
    if taken := files_for(target.profile, artifacts):
        return taken
    reasons = why_none(target.profile, artifacts)
    if every:
        return f"takes none of the files ({reasons})"
    raise UsageError(
        f"{bundle.path} has no file for {target.name} ({reasons})", written_for(target.name)
    )


def excused(rung: Rung) -> Rung:
    """A target that is not installed is no failure where nobody asked for it."""
    if rung.exit_code != UnavailableError.exit_code:
        return rung
    return Rung(rung.artifact, rung.scheme, rung.target, rung.engine, notes=rung.findings)


def label_notes(
    data: Dataset, reference: Outputs, of_keras: Mapping[str, Mapping[str, Value]]
) -> tuple[str, ...]:
    """Why there is no accuracy although there are labels."""
    if data.labels is None or any(values["accuracy"] is not None for values in of_keras.values()):
        return ()
    shapes = ", ".join(f"{name!r} {array.shape}" for name, array in reference.items())
    labels = f"labels y of shape {data.labels.shape} and dtype {data.labels.dtype}"
    return (f"no accuracy: {labels} do not say the class of the output {shapes}",)


def reference_outputs(
    bundle: Bundle, data: Dataset, predict: Predict | None
) -> tuple[str, Outputs]:
    """Keras's predictions for these data, stored or computed, and which of the two."""
    stored = bundle.manifest.reference
    if stored is not None and stored.data_sha256 == data.sha256:
        with np.load(bundle.file(stored.file), allow_pickle=False) as arrays:
            return "stored", dict(arrays)
    if predict is None:
        raise UsageError(
            f"{bundle.path} holds no Keras predictions for {data.source}",
            "give the model with --model, to predict with it now",
        )
    return "computed", predict(data)


def code_of(error: EdgennError) -> int:
    """The exit code of a finding."""
    if isinstance(error, ArtifactError):  # the file is as it was written: this engine refuses it
        return UnsupportedError.exit_code
    return error.exit_code


def climb(
    bundle: Bundle,
    artifact: Artifact,
    target: Target,
    data: Dataset,
    reference: Outputs,
    peers: Peers,
    progress: Progress | None,
) -> Rung:
    """One rung: numbers from the runner, cost from the estimator.

    An engine that fails is a finding, not the end; the other's half stands all the same.
    """
    path = bundle.file(artifact.file)
    findings: list[str] = []
    warnings: list[str] = []
    codes = [0]
    facts, estimator = Facts(), ""
    if target.estimator is not None:
        try:
            estimate = target.estimator.estimate(path)
        except FINDINGS as error:
            findings.append(without_path(error, path))
            codes.append(code_of(error))
        else:
            facts, estimator = estimate.facts, estimate.version
            warnings += estimate.warnings
            findings += estimate.findings
    time = target.profile.judge.time
    try:
        result = target.runner.run(path, data.inputs, progress)
    except FINDINGS as error:
        return Rung(
            artifact.file,
            artifact.scheme,
            target.name,
            target.runner.name,
            time=time,
            warnings=tuple(warnings),
            findings=(*findings, without_path(error, path)),
            exit_code=max(*codes, code_of(error)),
            estimator=estimator,
            facts=facts,
        )
    values = compare(reference, result.outputs, data, artifact.file)
    peers.remember(target, artifact, result.outputs)
    verdict = peers.judge(target, artifact, result.outputs)
    facts = result.facts.joined(facts)
    if over := too_large(target.profile, artifact.size_bytes, facts.working_bytes):
        findings += over
        codes.append(UnsupportedError.exit_code)
    return Rung(
        artifact.file,
        artifact.scheme,
        target.name,
        target.runner.name,
        result.version,
        values,
        result.latency_ms,
        time,
        (*warnings, *result.warnings),
        (*findings, *result.findings, *verdict.findings),
        max(codes),
        estimator,
        facts,
        verdict.peer,
        verdict.difference,
    )
