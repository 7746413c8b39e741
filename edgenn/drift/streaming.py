"""Whether a stream gives what the whole sequence gives, and whether states are reset.

Every file that has states runs some samples in order, then in a new process in reverse order: what
a sample gives may depend on no other. A file that runs one step runs them also in chunks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from edgenn.bundle import Bundle
from edgenn.data import Dataset
from edgenn.errors import EdgennError
from edgenn.manifest import Artifact
from edgenn.runners.findings import FINDINGS, without_path
from edgenn.runners.runner import Runner
from edgenn.runners.target import Target
from edgenn.runtime.tensor_info import Array
from edgenn.targets.choice import files_for

SAMPLES: Final = 8
"""At most; each runs at least twice."""
FEW: Final = 2
"""The same on slow targets."""
CHUNKS: Final = (1, 2, 3, 5)
"""Steps given at once, besides whole sequences."""
LONGEST: Final = 400
"""Steps of a sequence that is given in chunks; what comes behind them says nothing new."""
TOLERANCE: Final = 1e-6
"""Of real numbers, as a share of the output's range; integers are equal."""
STATEFUL_OPS: Final = frozenset(
    {
        "CALL_ONCE",
        "READ_VARIABLE",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "UNIDIRECTIONAL_SEQUENCE_RNN",
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_RNN",
        "SVDF",
        "LSTM",
        "WHILE",
    }
)
"""By which a file that edgenn did not write is known to have states."""

Outputs = Mapping[str, Array]


@dataclass(frozen=True)
class StreamCheck:
    """One artifact on one target, in streams.

    Attributes:
        chunks: Steps given at once, each of which was tried; empty where the file takes whole
            sequences.
        max_difference: From whole sequences, and between two runs of one sample, as a share of
            the output's range.
        finding: What is wrong; empty where nothing is.
    """

    artifact: str
    target: str
    chunks: tuple[int, ...]
    max_difference: float
    passed: bool
    finding: str = ""


def check_streams(
    bundle: Bundle, data: Dataset, targets: Sequence[Target]
) -> tuple[StreamCheck, ...]:
    """Checks every file with states on every target that takes it.

    A file that a target cannot run has no line: the ladder says why.
    """
    if not any(map(has_states, bundle.manifest.artifacts)):
        return ()
    return tuple(check for target in targets for check in check_target(bundle, data, target))


def check_target(bundle: Bundle, data: Dataset, target: Target) -> Iterator[StreamCheck]:
    """All files with states on one target, in two processes one after the other."""
    taken = filter(has_states, files_for(target.profile, bundle.manifest.artifacts))
    trials = [trial_of(bundle, artifact, data, target) for artifact in taken]
    for run in (forwards, backwards):
        with target.runner:
            for trial in trials:
                run(trial)
    for trial in trials:
        if trial.whole is not None:
            yield trial.result(target.name)


def has_states(artifact: Artifact) -> bool:
    """Whether what the file gives could depend on what it ran before."""
    recurrent = artifact.recurrent is not None or bool(artifact.states)
    return recurrent or bool(STATEFUL_OPS & artifact.op_counts.keys())


def some_samples(data: Dataset, artifact: Artifact, count: int) -> dict[str, Array]:
    """The first samples; sequences that will be cut into chunks are shortened."""
    axes = {} if artifact.time_axes is None else artifact.time_axes.inputs
    return {
        name: np.asarray(cut(array[:count], axes.get(name))) for name, array in data.inputs.items()
    }


def cut(array: Array, axis: int | None) -> Array:
    if axis is None or array.ndim <= axis:
        return array
    return array[(slice(None),) * axis + (slice(0, LONGEST),)]


def chunks_of(artifact: Artifact, inputs: Mapping[str, Array]) -> tuple[int, ...]:
    """Numbers of steps, the whole sequence last; none for a file that takes whole sequences."""
    if artifact.time_axes is None:
        return ()
    steps = [
        inputs[name].shape[axis]
        for name, axis in artifact.time_axes.inputs.items()
        if name in inputs and inputs[name].ndim > axis
    ]
    longest = max(steps, default=1)
    return (*(size for size in CHUNKS if size < longest), longest)


@dataclass
class Trial:
    """A file, its engine and its samples; what came of it.

    Attributes:
        inputs: By the file's names.
        integers: Outputs that have to be equal.
        whole: The outputs of whole sequences.
        differences: Of all comparisons, as a share of the output's range.
        findings: What is wrong.
    """

    artifact: str
    runner: Runner
    path: Path
    inputs: Mapping[str, Array]
    chunks: tuple[int, ...]
    integers: frozenset[str]
    whole: Outputs | None = None
    differences: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def run(self, inputs: Mapping[str, Array], chunk: int | None = None) -> Outputs:
        """The outputs of samples that run one after the other."""
        return self.runner.run(self.path, inputs, chunk=chunk).outputs

    def compare(self, what: str, one: Outputs, other: Callable[[], Outputs]) -> None:
        """Notes how far outputs are from each other.

        Args:
            what: Was done, in words.
            other: Runs it.
        """
        try:
            outputs = other()
        except EdgennError as error:
            self.differences.append(np.inf)
            self.findings.append(f"{what}: {without_path(error, self.path)}")
            return
        found = {name: relative(expected, outputs[name]) for name, expected in one.items()}
        largest = max(found.values(), default=0.0)
        self.differences.append(largest)
        if any(found[name] > (0.0 if name in self.integers else TOLERANCE) for name in found):
            self.findings.append(f"{what}: outputs differ by {largest:.3g} of their range")

    def result(self, target: str) -> StreamCheck:
        largest = max(self.differences, default=0.0)
        finding = next(iter(self.findings), "")
        return StreamCheck(self.artifact, target, self.chunks, largest, not finding, finding)


def trial_of(bundle: Bundle, artifact: Artifact, data: Dataset, target: Target) -> Trial:
    slow = target.profile.judge.macs is not None
    inputs = some_samples(data, artifact, FEW if slow else SAMPLES)
    return Trial(
        artifact.file,
        target.runner,
        bundle.file(artifact.file),
        bundle.ports_of(artifact.file).given(inputs),
        chunks_of(artifact, inputs),
        frozenset(info.name for info in artifact.outputs if info.scale is not None),
    )


def forwards(trial: Trial) -> None:
    """The samples in order, the last of them twice; then in chunks."""
    again = {name: np.concatenate([array, array[-1:]]) for name, array in trial.inputs.items()}
    try:
        outputs = trial.run(again)
    except FINDINGS:
        return
    trial.whole = whole = {name: array[:-1] for name, array in outputs.items()}
    first, second = ({n: a[i, np.newaxis] for n, a in outputs.items()} for i in (-2, -1))
    trial.compare("its state is not reset: a sample twice in a row", first, lambda: second)
    for chunk in trial.chunks[:-1]:
        what = f"in chunks of {chunk} step{'s' if chunk > 1 else ''} instead of whole sequences"
        trial.compare(what, whole, partial(trial.run, trial.inputs, chunk))


def backwards(trial: Trial) -> None:
    """The samples from the last to the first, in a process that ran none of them before."""
    if trial.whole is None:
        return

    def run() -> Outputs:
        turned = {name: array[::-1] for name, array in trial.inputs.items()}
        return {name: array[::-1] for name, array in trial.run(turned).items()}

    trial.compare("its state is not reset: samples in reverse order", trial.whole, run)


def relative(expected: Array, actual: Array) -> float:
    """The largest difference as a share of the range; infinite where only one is a number."""
    if expected.shape != actual.shape:
        return float("inf")
    if np.array_equal(expected, actual, equal_nan=expected.dtype.kind == "f"):
        return 0.0
    one, other = expected.astype(np.float64), actual.astype(np.float64)
    finite = np.isfinite(one)
    if not np.array_equal(finite, np.isfinite(other)):
        return float("inf")
    span = float(np.ptp(one[finite])) if finite.any() else 0.0
    largest = float(np.abs(one[finite] - other[finite]).max(initial=0.0))
    return largest / span if span else (float("inf") if largest else 0.0)
