"""A whole check: the ladder, the layers, streams and calibration data, in one report.

What looks into graphs is imported where it is called: most checks compare outputs alone, and their
engines are not started before this file is imported.
"""

import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenn.audit.recorded import recorded_calibration, unscaled
from edgenn.bundle import Bundle
from edgenn.data import Dataset, load
from edgenn.drift import CheckReport, Rung, check_bundle
from edgenn.drift.budget import Baseline, Budget, default_budget, fingerprint_of, judge_layers
from edgenn.drift.budget import read_budget as read_budget_file
from edgenn.drift.explain import Explanation
from edgenn.drift.ladder import target_order
from edgenn.drift.report import Verdict
from edgenn.drift.streaming import StreamCheck
from edgenn.errors import EdgennError, EdgennWarning, UsageError
from edgenn.manifest import Artifact, Manifest
from edgenn.options import DEFAULT_TARGETS, DEFAULT_TIME_LIMIT_S
from edgenn.progress import Progress, silent
from edgenn.runners.target import Target
from edgenn.targets import Profile
from edgenn.targets.choice import chosen_profiles

if TYPE_CHECKING:
    from edgenn.audit import Audit
    from edgenn.reference import KerasTruth


@dataclass(frozen=True)
class CheckOptions:
    """What a check was asked for.

    Attributes:
        targets: Names, or paths of profiles; the processor's by default.
        all_targets: Every target that comes with edgenn.
        time_limit_s: For each engine to open a file, and for each part of the samples.
        budget: A file of limits.
        baseline: A file with what rungs had before.
        update_baseline: Write it with what they have now, instead of comparing with it.
        calibration: The data that int8 ranges came from, to be audited.
        explain: Switch layers off one by one, and measure remedies; else layers are only compared,
            where the Keras model is at hand anyway.
    """

    targets: Sequence[str | Path | Profile] = ()
    all_targets: bool = False
    time_limit_s: float = DEFAULT_TIME_LIMIT_S
    budget: str | Path | None = None
    baseline: str | Path | None = None
    update_baseline: bool = False
    calibration: Any = None
    explain: bool = False


def checked(
    bundle: Bundle,
    data: Any,
    truth: "KerasTruth | None",
    options: CheckOptions,
    progress: Progress | None,
) -> CheckReport:
    """The report; errors as of ``api.check``.

    Args:
        truth: The Keras model, where it is at hand.
    """
    samples = load(data, bundle.manifest.artifacts[0].data_inputs, split="test")
    if options.explain and truth is None:
        raise UsageError(
            f"{bundle.path}: layers are compared with the Keras model, which is not at hand",
            "give it with --model",
        )
    if options.explain and truth is not None:
        truth.graph()  # loaded now, it is a rung of the ladder, too
    targets = chosen_targets(bundle.manifest.artifacts, options)
    budget, baseline = limits(bundle.manifest, samples, options)
    report = check_bundle(
        bundle,
        samples,
        truth,
        targets,
        every=options.all_targets,
        budget=budget,
        baseline=baseline,
        progress=progress,
    )
    calibration = calibration_data(bundle, data, truth, options)
    explanations, notes = layers(
        bundle, samples, report, truth, calibration, options, progress or silent
    )
    # another converter may balance channels and does not say so: its layers are shown, not judged
    own = [entry for entry in explanations if entry.artifact not in bundle.elsewhere]
    rungs = with_layers(report.rungs, own, budget)
    if options.explain and truth is not None:
        from edgenn.drift.explain.engines import blamed

        graph, told = truth.graph(), progress or silent
        rungs = blamed(rungs, bundle, samples, targets, float_graph=graph, progress=told)
    return replace(
        report,
        rungs=rungs,
        notes=(
            *unscaled(bundle.manifest, samples),
            *report.notes,
            *other_weights(bundle, truth),
            *notes,
        ),
        explanations=explanations,
        streaming=streams(bundle, samples, targets),
        audit=audit_of(truth, calibration, samples, progress or silent),
        manifest=json.loads(bundle.manifest.to_json()),
    )


def chosen_targets(artifacts: Sequence[Artifact], options: CheckOptions) -> list[Target]:
    profiles = chosen_profiles(
        options.targets, DEFAULT_TARGETS, artifacts, every=options.all_targets
    )
    ordered = target_order(profiles)
    return [Target.of(profile, time_limit_s=options.time_limit_s) for profile in ordered]


def limits(
    manifest: Manifest, samples: Dataset, options: CheckOptions
) -> tuple[Budget, Baseline | None]:
    """The budget and the baseline, once they are known to fit.

    Raises:
        UsageError: A file with a mistake, or a baseline of another model or of other data.
    """
    own = [Path(target).stem for target in options.targets if isinstance(target, str | Path)]
    budget = default_budget() if options.budget is None else read_budget_file(options.budget, own)
    if options.baseline is None or options.update_baseline:
        if budget.needs_baseline and not options.update_baseline:
            raise UsageError(
                f"{budget.needs_baseline} compares with a baseline, and there is none",
                "give --baseline FILE",
            )
        return budget, None
    baseline = Baseline.read(options.baseline)
    fingerprint = fingerprint_of({"source": asdict(manifest.source)})
    baseline.require_fits(manifest.name, fingerprint, samples.sha256, str(options.baseline))
    return budget, baseline


def store_baseline(report: CheckReport, options: CheckOptions) -> None:
    """Writes the baseline where that was asked for; a check that failed is none to compare with.

    Raises:
        OutputError: The file cannot be written.
    """
    if not options.update_baseline or options.baseline is None:
        return
    if report.exit_code:
        problem = f"the check failed: the baseline {options.baseline} is not written"
        warnings.warn(problem, EdgennWarning, stacklevel=2)
        return
    Baseline.of(report).write(options.baseline)


def layers(
    bundle: Bundle,
    samples: Dataset,
    report: CheckReport,
    truth: "KerasTruth | None",
    calibration: Dataset | None,
    options: CheckOptions,
    progress: Progress,
) -> tuple[tuple[Explanation, ...], list[str]]:
    """Layer by layer, where the Keras model is loaded anyway or that was asked for."""
    if truth is None or not (truth.is_loaded or options.explain):
        return (), []
    from edgenn.explaining import Question, explanations

    failed = {rung.artifact for rung in report.rungs if rung.failed}
    return explanations(
        Question(bundle, samples, truth, failed, options.explain, calibration, progress)
    )


def other_weights(bundle: Bundle, truth: "KerasTruth | None") -> Iterator[str]:
    """Which files from elsewhere do not hold the model's weights."""
    if truth is None or not bundle.elsewhere:
        return
    from edgenn.drift.weights import held_weights

    for name, path in bundle.elsewhere.items():
        try:
            note = held_weights(truth.graph(), path).note(name)
        except EdgennError as error:
            note = f"whether {name} holds the model's weights is not known: {error}"
        if note:
            yield note


def with_layers(
    rungs: Iterable[Rung], explanations: Iterable[Explanation], budget: Budget
) -> tuple[Rung, ...]:
    """The first rung of each artifact with what its layers broke: it is the file's fault."""
    verdicts: dict[str, tuple[Verdict, ...]] = {
        explanation.artifact: judge_layers(explanation.layers, budget)
        for explanation in explanations
    }

    def judged() -> Iterator[Rung]:
        for rung in rungs:
            of_layers = () if rung.metrics is None else verdicts.pop(rung.artifact, ())
            yield replace(rung, verdicts=(*rung.verdicts, *of_layers))

    return tuple(judged())


def streams(bundle: Bundle, samples: Dataset, targets: Sequence[Target]) -> tuple[StreamCheck, ...]:
    from edgenn.drift.streaming import check_streams

    return check_streams(bundle, samples, targets)


def calibration_data(
    bundle: Bundle, data: Any, truth: "KerasTruth | None", options: CheckOptions
) -> Dataset | None:
    """What int8 ranges came from: as given, else where the bundle says that it was.

    Raises:
        UsageError: They are given, and there is no model to audit them on.
    """
    if options.calibration is not None:
        if truth is None:
            raise UsageError(
                "calibration data are audited on the Keras model, which is not at hand",
                "give it with --model",
            )
        inputs = bundle.manifest.artifacts[0].data_inputs
        return load(options.calibration, inputs, split="calibration")
    if truth is None or not truth.is_loaded:
        return None
    named = Path(data) if isinstance(data, str | Path) else None
    return recorded_calibration(bundle.manifest, named)


def audit_of(
    truth: "KerasTruth | None", calibration: Dataset | None, samples: Dataset, progress: Progress
) -> "Audit | None":
    """The audit of the calibration data, where they and the Keras model are at hand."""
    if truth is None or calibration is None:
        return None
    from edgenn import auditing

    return auditing.audited(truth.graph(), calibration, samples, progress)
