"""What targets would make of a model, before it is converted."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgenn.errors import ArtifactError, EdgennWarning, UnsupportedError
from edgenn.inspection import is_artifact
from edgenn.lowering.recurrent.forms import Form
from edgenn.options import DEFAULT_RNN_FORM, DEFAULT_RNN_PRECISION
from edgenn.placement import (
    PreflightReport,
    Program,
    TargetReport,
    peak_activation,
    place,
    program_of,
)
from edgenn.placement.layers import layer_reports
from edgenn.placement.report import Verdict
from edgenn.plan import HLS4ML, Build, builds_for_targets
from edgenn.preflight.dry_run import DryRun
from edgenn.quantization.schemes import Scheme
from edgenn.source import bundle_name, load_source
from edgenn.targets import Profile, profiles_of
from edgenn.targets.memory import too_large
from edgenn.targets.rules import rules_of

__all__ = ["preflight"]


def preflight(
    model: Any,
    targets: Sequence[str | Path | Profile],
    *,
    quantize: Sequence[str] = (),
    rnn: str = DEFAULT_RNN_FORM,
    rnn_precision: str = DEFAULT_RNN_PRECISION,
    batch: int | None = None,
    calibration: Any = None,
    unsafe: bool = False,
    custom: str | Path | None = None,
) -> PreflightReport:
    """What targets make of a Keras model or of a .tflite or .onnx file; nothing is written or run.

    A Keras model is converted in memory as ``convert(…, targets=…)`` would, with made-up samples.
    Ops, shapes and dtypes are those that real samples lead to, but for recurrent layers with
    float gates in integer files: how many products are taken in two parts depends on the data.

    Args:
        model: A Keras model, the path of one, or of an artifact.
        targets: Names of targets, or paths of their profiles.
        quantize: Schemes to look at; for each target, the first that it takes by default.
        rnn: Form of recurrent layers; ``auto`` for what each target takes.
        rnn_precision: Of gates and states.
        batch: For targets that leave it open.
        calibration: Typical samples instead of made-up ones, as ``convert`` takes them.
        unsafe: Run Python code that the model file holds (Lambda layers).
        custom: A Python file with the model's own layers; run before the model is loaded.

    Returns:
        One entry for each target, or for each scheme where several were asked for.

    Raises:
        ModelFileError: The model cannot be read.
        ArtifactError: The artifact cannot be read.
        UsageError: No such target, or one that takes none of the schemes.
        DataError: Samples that do not fit the model.
    """
    profiles = profiles_of(targets)
    if isinstance(model, str | Path) and is_artifact(model):
        placed = tuple(of_artifact(Path(model), profile) for profile in profiles)
        return PreflightReport(str(model), placed)
    loaded, source = load_source(model, unsafe=unsafe, custom=custom)
    dry = DryRun(loaded, bundle_name(model, loaded), calibration)
    schemes = [Scheme(name) for name in quantize]
    reports: list[TargetReport] = []
    for profile in profiles:
        fixed = profile.artifact.batch or batch
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", EdgennWarning)
                planned = builds_for_targets(
                    dry.graph(fixed), [profile], schemes, rnn, rnn_precision, fixed
                )
        except UnsupportedError as error:
            reports.append(refused(profile, str(error)))
            continue
        notes = [str(entry.message) for entry in caught]
        reports += [of_model(dry, profile, build, notes) for build in planned]
    return PreflightReport(source.path, tuple(reports))


def of_model(dry: DryRun, profile: Profile, build: Build, notes: Sequence[str]) -> TargetReport:
    """What the target makes of the file that would be written for it."""
    try:
        file = dry.file(build)
    except UnsupportedError as error:
        return refused(profile, *every_reason(dry, build, error), build=build)
    known = dry.layers
    return judged(profile, file.program, file.size_bytes, known, build, notes)


def every_reason(dry: DryRun, build: Build, error: UnsupportedError) -> list[str]:
    """What stopped the conversion; of hls4ml, which has whole layers, all that would."""
    if build.format != HLS4ML:
        return [str(error)]
    from edgenn.export.hls4ml.exporter import refusals

    found = refusals(dry.graph(build.batch)).values()
    return list(dict.fromkeys(map(str, found))) or [str(error)]


def of_artifact(path: Path, profile: Profile) -> TargetReport:
    """What the target makes of a file.

    Raises:
        ArtifactError: The file is missing, damaged or something else.
    """
    format_ = path.suffix.removeprefix(".")
    if format_ != profile.artifact.format:
        return refused(profile, f"it takes .{profile.artifact.format} files")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error
    return judged(profile, program_of(content, format_, str(path)), len(content), [], None, ())


def judged(
    profile: Profile,
    program: Program,
    size_bytes: int,
    known: Sequence[str],
    build: Build | None,
    notes: Sequence[str],
) -> TargetReport:
    """Ops are placed by the profile's rules; the file is held against its memory."""
    placed = place(program, rules_of(profile))
    peak = peak_activation(program)
    layers = layer_reports(
        program, placed.ops, known, step=build is not None and build.form is Form.STEP
    )
    reasons = too_large(profile, size_bytes, peak.bytes)
    for op in placed.elsewhere("refused"):
        reasons.append(f"{op.kind} {op.name!r}: {op.reason}")
    verdict: Verdict = "partly" if placed.elsewhere("cpu") else "runs"
    return TargetReport(
        profile.name,
        profile.title,
        profile.kind,
        "refused" if reasons else verdict,
        tuple(dict.fromkeys(reasons)),
        tuple(notes),
        size_bytes=size_bytes,
        macs=placed.macs,
        accelerator_macs=placed.accelerator_macs,
        peak_activation_bytes=peak.bytes,
        peak_op=peak.node,
        layers=layers,
        ops=placed.ops,
        **said_of(profile, build),
    )


def refused(profile: Profile, *reasons: str, build: Build | None = None) -> TargetReport:
    """A model that does not come so far as to be placed."""
    return TargetReport(
        profile.name, profile.title, profile.kind, "refused", reasons, **said_of(profile, build)
    )


def said_of(profile: Profile, build: Build | None) -> dict[str, Any]:
    """What the plan says of the file."""
    if build is None:
        return {"format": profile.artifact.format}
    has_gates = build.form and build.scheme.is_full_integer and build.format == "tflite"
    return {
        "format": build.format,
        "scheme": str(build.scheme),
        "form": "" if build.form is None else str(build.form),
        "gates": str(build.gates) if has_gates else "",
        "batch": build.batch,
    }
