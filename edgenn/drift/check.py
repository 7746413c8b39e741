"""Runs every artifact of a bundle on every engine and compares with Keras."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from edgenn.bundle import Bundle
from edgenn.data import Dataset
from edgenn.drift.metrics import Value, compute_metrics
from edgenn.drift.report import CheckReport, Rung
from edgenn.errors import ArtifactError, DataError, EngineError, UnavailableError, UsageError
from edgenn.manifest import Artifact
from edgenn.progress import Progress
from edgenn.runners import LiteRTReferenceRunner, LiteRTRunner, OnnxRuntimeRunner, Runner
from edgenn.runtime.tensor_info import Array

LADDER = (LiteRTReferenceRunner, LiteRTRunner, OnnxRuntimeRunner)

Outputs = Mapping[str, Array]
Predict = Callable[[Dataset], Outputs]
"""Keras's predictions: output name → array."""


def check_bundle(
    bundle: Bundle,
    data: Dataset,
    predict: Predict | None = None,
    *,
    runners: Sequence[Runner] | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Climbs the ladder: each artifact on each engine that runs its format.

    Args:
        data: Real numbers as the Keras model takes them, by input name.
        predict: Computes the reference where none is stored for these data.
        runners: The rungs, by default LiteRT's reference kernels, LiteRT and ONNX Runtime.

    Raises:
        UsageError: There is no reference for these data.
        DataError: Samples that do not fit.
        ArtifactError: An artifact that is damaged or lacks an output.
    """
    source, reference = reference_outputs(bundle, data, predict)
    runners = [engine() for engine in LADDER] if runners is None else runners
    rungs = [
        climb(bundle, artifact, runner, data, reference, progress)
        for artifact in bundle.manifest.artifacts
        for runner in runners
        if artifact.file.endswith(runner.suffix)
    ]
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


def climb(
    bundle: Bundle,
    artifact: Artifact,
    runner: Runner,
    data: Dataset,
    reference: Outputs,
    progress: Progress | None,
) -> Rung:
    """One rung; an engine that fails is a finding, not the end."""
    try:
        result = runner.run(bundle.file(artifact.file), data.inputs, progress)
    except (EngineError, UnavailableError) as error:
        return Rung(
            artifact.file,
            artifact.scheme,
            runner.name,
            findings=(str(error),),
            exit_code=error.exit_code,
        )
    return Rung(
        artifact.file,
        artifact.scheme,
        runner.name,
        result.version,
        compare(reference, result.outputs, data, artifact.file),
        result.latency_ms,
        result.warnings,
        result.findings,
    )


def compare(
    reference: Outputs, outputs: Outputs, data: Dataset, where: str
) -> dict[str, dict[str, Value]]:
    """Output name → metric → value."""
    for name, expected in reference.items():
        if name not in outputs:
            raise ArtifactError(f"{where} has no output {name!r}, only {list(outputs)}")
        if outputs[name].shape != expected.shape:
            raise DataError(
                f"{where}: output {name!r} has shape {outputs[name].shape}, Keras gave"
                f" {expected.shape}"
            )
    return {
        name: metrics(expected, outputs[name], data, reference)
        for name, expected in reference.items()
    }


def metrics(expected: Array, actual: Array, data: Dataset, reference: Outputs) -> dict[str, Value]:
    # labels belong to the only output; with several nobody says to which
    labels = data.labels if len(reference) == 1 else None
    return compute_metrics(expected, actual, labels)
