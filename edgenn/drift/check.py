"""Climbs the ladder: every artifact of a bundle on every target, against Keras."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from edgenn.bundle import Bundle
from edgenn.data import Dataset
from edgenn.drift.budget import Baseline, Budget, default_budget, judge
from edgenn.drift.climb import climb, excused
from edgenn.drift.compare import compare
from edgenn.drift.ladder import artifact_order, rung_before
from edgenn.drift.metrics import Tally
from edgenn.drift.outputs import OutputStore
from edgenn.drift.peers import Peers
from edgenn.drift.report import CheckReport, Metrics, Rung
from edgenn.drift.truth import Truth
from edgenn.drift.worst import with_inputs
from edgenn.errors import UsageError
from edgenn.manifest import Artifact
from edgenn.progress import Progress
from edgenn.runners.target import Target
from edgenn.targets.choice import files_for, why_none
from edgenn.targets.fit import written_for


def check_bundle(
    bundle: Bundle,
    data: Dataset,
    truth: Truth | None,
    targets: Sequence[Target],
    *,
    every: bool = False,
    budget: Budget | None = None,
    baseline: Baseline | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Climbs the ladder: each artifact on each target that takes it.

    Args:
        data: Real numbers as the Keras model takes them, by input name.
        truth: The Keras model, where no predictions are stored for these data.
        targets: The rungs; each engine is started once.
        every: Nobody asked for these targets by name: one that is not installed, or that takes
            none of the files, is a note.
        budget: How far a rung may be from Keras; the default one if none is given.
        baseline: What rungs had been before.

    Raises:
        UsageError: There is no reference for these data, or no file for a target.
        DataError: Samples that do not fit.
        ArtifactError: An artifact that is damaged or lacks an output.
    """
    fits = {target.name: fitting(bundle, target, every=every) for target in targets}
    absent = [
        Rung("", "", name, notes=(why,)) for name, why in fits.items() if isinstance(why, str)
    ]
    budget = budget or default_budget()
    with ExitStack() as stack:
        opened = {target.name: stack.enter_context(target) for target in targets}
        peers = Peers(bundle, data, opened, stack)
        climbs = list(pairs(bundle, targets, fits))
        for artifact, target in climbs:  # of each target the first: engines load side by side
            target.open_ahead(bundle.file(artifact.file))
        source, reference = reference_outputs(bundle, data, truth, stack)
        ladder = Ladder(bundle, data, reference, peers, stack)
        if truth is not None and truth.is_loaded:
            ladder.climb_float_graph(truth)
        for target in targets:
            target.settle()
        for artifact, target in climbs:
            ladder.climb(artifact, target, excuse=every, progress=progress)
        of_keras = ladder.of_keras()
        rungs = tuple(
            replace(rung, verdicts=judge(rung, budget, ladder.keras_beside(rung), baseline))
            for rung in ladder.rungs
        )
        return CheckReport(
            bundle.manifest.name,
            data.source,
            data.sha256,
            len(data),
            source,
            of_keras,
            (*shown_worst(rungs, data), *absent),
            (*label_notes(data, reference, of_keras), *baseline_notes(rungs, baseline)),
            budget.name,
        )


@dataclass
class Ladder:
    """The rungs so far; the outputs of those that others are compared with stay on disk.

    Attributes:
        reference: Keras's outputs.
    """

    bundle: Bundle
    data: Dataset
    reference: OutputStore
    peers: Peers
    stack: ExitStack
    rungs: list[Rung] = field(default_factory=list)
    _outputs: dict[str, OutputStore] = field(default_factory=dict)
    _of_keras: dict[str, Metrics] = field(default_factory=dict)
    _tallies: dict[int, Mapping[str, Tally]] = field(default_factory=dict)

    def keras_beside(self, rung: Rung) -> Metrics:
        """Task metrics of Keras on the samples that a rung has seen."""
        return self._of_keras.get(rung.label, {})

    def of_keras(self) -> Metrics:
        """Task metrics of Keras on all samples."""
        whole = (rung.label for rung in self.rungs if rung.samples == len(self.data))
        found = next((self._of_keras[label] for label in whole if label in self._of_keras), None)
        return found or compare(self.reference, self.reference, self.data, "Keras").of_keras

    def climb_float_graph(self, truth: Truth) -> None:
        """The rung that has no file."""
        from edgenn.drift.float_graph import run_float_graph  # brings every operator along

        outputs = self.stack.enter_context(OutputStore())
        self._add(run_float_graph(truth.graph(), self.data, outputs), outputs)

    def climb(
        self, artifact: Artifact, target: Target, *, excuse: bool, progress: Progress | None
    ) -> None:
        """Runs one file on one target and compares."""
        outputs = self.stack.enter_context(OutputStore())
        path = self.bundle.file(artifact.file)
        ports = self.bundle.ports_of(artifact.file)
        rung = climb(path, artifact, target, self.data, outputs, progress, ports)
        if rung.metrics is None:
            self.rungs.append(excused(rung) if excuse else rung)
            return
        self.peers.remember(target, artifact, outputs)
        verdict = self.peers.judge(target, artifact, outputs)
        rung = replace(
            rung,
            findings=(*rung.findings, *verdict.findings),
            peer=verdict.peer,
            peer_difference=verdict.difference,
        )
        self._add(rung, outputs)

    def _add(self, rung: Rung, outputs: OutputStore) -> None:
        before = rung_before(self.rungs, rung.scheme)
        earlier = None if before is None else self._outputs[before.label]
        where = rung.artifact or rung.target
        scales = {} if before is None else self._shared_scales(rung, before)
        known = self._tallies.get(len(outputs))
        found = compare(self.reference, outputs, self.data, where, earlier, scales, known)
        self._tallies.setdefault(len(outputs), found.tallies)
        self._of_keras[rung.label] = found.of_keras
        self._outputs[rung.label] = outputs
        self.rungs.append(
            replace(
                rung,
                metrics=found.metrics,
                intervals=found.intervals,
                before="" if before is None else before.label,
                step=found.step,
                worst=found.worst,
                differences=found.differences,
            )
        )

    def _shared_scales(self, rung: Rung, before: Rung) -> dict[str, float]:
        """Output → its scale, of outputs that are integers on one grid in both files."""
        grids, earlier = (
            {
                self.bundle.ports_of(file).outputs.get(info.name, info.name): info
                for info in self.bundle.artifacts[file].outputs
            }
            if file
            else {}
            for file in (rung.artifact, before.artifact)
        )
        return {
            name: info.scale
            for name, info in grids.items()
            if info.scale is not None
            and name in earlier
            and (info.scale, info.zero_point) == (earlier[name].scale, earlier[name].zero_point)
        }


def pairs(
    bundle: Bundle, targets: Sequence[Target], fits: Mapping[str, Sequence[Artifact] | str]
) -> Iterator[tuple[Artifact, Target]]:
    """What runs where, in the ladder's order."""
    for file in artifact_order(bundle.manifest.artifacts):
        for target in targets:
            taken = fits[target.name]
            if not isinstance(taken, str) and bundle.artifacts[file] in taken:
                yield bundle.artifacts[file], target


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


def reference_outputs(
    bundle: Bundle, data: Dataset, truth: Truth | None, stack: ExitStack
) -> tuple[str, OutputStore]:
    """Keras's predictions for these data, stored or computed, and which of the two."""
    stored = bundle.manifest.reference
    if stored is not None and stored.data_sha256 == data.sha256:
        return "stored", stack.enter_context(OutputStore.of_npz(bundle.file(stored.file)))
    if truth is None:
        raise UsageError(
            f"{bundle.path} holds no Keras predictions for {data.source}",
            "give the model with --model, to predict with it now",
        )
    outputs = stack.enter_context(OutputStore())
    truth.predict(data, outputs.append)
    return "computed", outputs


def label_notes(data: Dataset, reference: OutputStore, of_keras: Metrics) -> tuple[str, ...]:
    """Why there is no task metric although there are labels."""
    judged = (value for values in of_keras.values() for value in values.values())
    if data.labels is None or any(value is not None for value in judged):
        return ()
    shapes = ", ".join(f"{name!r} {shape}" for name, shape in reference.shapes.items())
    labels = f"labels y of shape {data.labels.shape} and dtype {data.labels.dtype}"
    return (f"no accuracy: {labels} do not say what the output {shapes} should be",)


def baseline_notes(rungs: Sequence[Rung], baseline: Baseline | None) -> tuple[str, ...]:
    return () if baseline is None else baseline.notes(rungs)


def shown_worst(rungs: Sequence[Rung], data: Dataset) -> tuple[Rung, ...]:
    """The worst samples with what went in, of the one rung whose worst samples say most.

    That is the first that breaks the budget, else the one that lies farthest from Keras; those of
    all rungs would be most of a report.
    """
    climbed = [rung for rung in rungs if rung.worst]
    if not climbed:
        return tuple(rungs)
    broken = [rung for rung in climbed if not all(v.passed for v in rung.verdicts)]
    chosen = broken[0] if broken else max(climbed, key=lambda rung: rung.worst[0].error)
    return tuple(
        replace(rung, worst=with_inputs(rung.worst, data)) if rung is chosen else rung
        for rung in rungs
    )
