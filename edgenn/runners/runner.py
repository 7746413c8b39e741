"""The template of every runner: checks, child process, time limit, findings."""

import re
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np

from edgenn.errors import ArtifactError, DataError, EdgennError
from edgenn.options import DEFAULT_TIME_LIMIT_S
from edgenn.progress import Progress
from edgenn.runners.child import Child
from edgenn.runners.environments import Requirement, python_of
from edgenn.runners.facts import Facts
from edgenn.runners.not_numbers import NotNumbers
from edgenn.runners.parts import DiedInBatchError, Parts
from edgenn.runners.processes import Conversation, Processes
from edgenn.runners.protocol import Message
from edgenn.runtime.session import fixed_batch
from edgenn.runtime.tensor_info import Array, TensorInfo

Sink = Callable[[Mapping[str, Array]], None]
"""Takes the outputs of some samples by name."""

WARNING = re.compile(r"warn|error|fail|fallback|not supported|unsupported", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """What an engine's stderr means.

    Attributes:
        warnings: Lines that a user should see.
        findings: What is wrong with the run.
        facts: Fields of ``Facts`` in JSON's types.
    """

    warnings: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunResult:
    """What an engine made of an artifact.

    Attributes:
        engine: The runner's name.
        version: Package and version of what ran.
        outputs: Output name → array of all samples, float where it stands for real numbers.
        latency_ms: Median time of one sample; ``None`` where none was taken.
        step_latency_ms: Median time of a step, where the artifact runs one.
        warnings: Lines of the engine's stderr that a user should see.
        findings: What is wrong with the outputs, such as NaN.
        facts: Where it ran, and what it costs there.
        latencies_ms: Of each sample, in order.
    """

    engine: str
    version: str
    outputs: Mapping[str, Array]
    latency_ms: float | None
    warnings: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    step_latency_ms: float | None = None
    facts: Facts = field(default_factory=Facts)
    latencies_ms: tuple[float, ...] = ()


class Runner:
    """Runs artifacts on one target. An engine sets the names, and what its words mean.

    Within ``with runner:`` one child process serves all artifacts; otherwise each call has its
    own. A child that crashed or was stopped is replaced at the next call.

    Attributes:
        name: In profiles, tables and reports.
        suffix: Of the artifacts that it runs.
        engine: ``module:callable`` that the child opens an artifact with:
            ``(path, options) → edgenn.runtime.engine.Engine``, with ``facts`` if it has any.
        requirement: Where the engine is looked for.
        gives_numbers: Whether it computes outputs; an estimator has facts only.
        batches: Whether it runs several samples at once where the artifact lets it.
        shares: Whether several of its engines may run side by side in one process.
        option_names: The options that its engine knows; ``None`` where it does not say.
        options: Handed to the engine.
        time_limit_s: For each message of samples, and for opening an artifact.
    """

    name: ClassVar[str]
    suffix: str
    engine: ClassVar[str] = ""
    requirement: ClassVar[Requirement] = Requirement()
    gives_numbers: ClassVar[bool] = True
    batches: ClassVar[bool] = True
    shares: ClassVar[bool] = False
    option_names: ClassVar[tuple[str, ...] | None] = None

    def __init__(
        self,
        options: Mapping[str, Any] | None = None,
        *,
        time_limit_s: float = DEFAULT_TIME_LIMIT_S,
    ) -> None:
        self.options = dict(options or {})
        self.time_limit_s = time_limit_s
        # by name: a subclass may start another
        self._processes = Processes(lambda: self.start())

    # what an engine may say for itself

    def environment(self) -> Mapping[str, str]:
        """Variables of the child process besides this one's."""
        return {}

    def require_available(self) -> None:
        """Whether the engine is installed and has what it runs on.

        Raises:
            UnavailableError: What is missing, and the command that mends it.
        """
        python_of(self.name, self.requirement)

    def read_stderr(self, text: str) -> Said:
        """What the engine's own words mean."""
        return Said(warnings=warnings_in(text))

    def explain(self, error: EdgennError, text: str) -> EdgennError:
        """An error of the engine, told better with what stands on its stderr."""
        return error

    def start(self) -> AbstractContextManager[Conversation]:
        """A process that waits for messages."""
        return Child(
            "edgenn.runners.worker",
            [self.engine],
            self.name,
            self.time_limit_s,
            python=python_of(self.name, self.requirement),
            environment=self.environment(),
        )

    # the template

    def describe(self, artifact: Path) -> tuple[list[TensorInfo], list[TensorInfo]]:
        """Inputs and outputs, as the engine sees them; errors as of ``run``."""
        with self._opened(artifact) as (_, opened, _):
            return infos(opened["inputs"]), infos(opened["outputs"])

    def estimate(self, artifact: Path) -> RunResult:
        """What the engine knows of an artifact without running it; errors as of ``run``."""
        with self._opened(artifact) as (process, opened, start):
            said = self.read_stderr(process.stderr(start))
        facts = Facts.from_values({**opened["facts"], **said.facts})
        return RunResult(
            self.name, opened["version"], {}, None, said.warnings, said.findings, facts=facts
        )

    def run(
        self,
        artifact: Path,
        inputs: Mapping[str, Array],
        progress: Progress | None = None,
        *,
        chunk: int | None = None,
        sink: Sink | None = None,
        timed: int | None = None,
        workers: int = 1,
    ) -> RunResult:
        """Runs all samples; whole sequences where the artifact runs one step.

        Args:
            artifact: A file of this runner's suffix.
            inputs: Input name → array, samples first, real numbers.
            progress: Called after each part.
            chunk: Steps of a sequence to give at once.
            sink: Gets the outputs of each part, in order; none are kept then.
            timed: So many samples run one at a time and are timed, all by default. The others go
                in batches where the engine likes them, the artifact's batch is open, and the
                timed samples come out the same in a batch: integers bit for bit, floats within
                ``parts.TOLERANCE``.
            workers: How many threads share the samples that are not timed, where the engine can.

        Raises:
            ArtifactError: The file is missing, damaged or of another kind.
            DataError: Samples that do not fit the artifact.
            EngineError: The engine crashed, took too long or refused.
            UnavailableError: The engine is not installed.
            UnsupportedError: An op that the engine cannot run.
            UsageError: A chunk for an artifact that runs whole sequences.
        """
        lanes = workers if self.shares else 1
        options = partial(Parts, chunk=chunk, timed=timed, lanes=lanes)
        try:
            return self._run(
                artifact, inputs, progress, sink, partial(options, batches=self.batches)
            )
        except DiedInBatchError:
            return self._run(artifact, inputs, progress, sink, options)

    def _run(
        self,
        artifact: Path,
        inputs: Mapping[str, Array],
        progress: Progress | None,
        sink: Sink | None,
        parts_of: Callable[..., Parts],
    ) -> RunResult:
        """As ``run``; how samples come in parts is said by ``parts_of``."""
        self._require_artifact(artifact)
        count = number_of_samples(inputs)
        kept: list[Mapping[str, Array]] = []
        not_numbers = NotNumbers()
        with self._opened(artifact) as (process, opened, start):
            parts = parts_of(process, batch=fixed_batch(infos(opened["inputs"])))
            with closing(parts.outputs(inputs, count)) as outputs:
                for done, part in outputs:
                    not_numbers.add(part)
                    (sink or kept.append)(part)
                    if progress is not None:
                        progress(f"{artifact.name} on {self.name}", done, count)
            said = self.read_stderr(process.stderr(start))
        facts = {**opened["facts"], **parts.facts, **said.facts}
        if parts.latencies_ms:
            facts["first_run_ms"] = parts.latencies_ms[0]
        return RunResult(
            self.name,
            opened["version"],
            joined(kept),
            median(parts.latencies_ms),
            said.warnings,
            (*said.findings, *not_numbers.findings()),
            median(parts.step_latencies_ms),
            Facts.from_values(facts),
            tuple(parts.latencies_ms),
        )

    @contextmanager
    def _opened(self, artifact: Path) -> Iterator[tuple[Conversation, Mapping[str, Any], int]]:
        """A process that has the artifact open, what it said of it, and where its words begin."""
        self._require_artifact(artifact)
        with ExitStack() as stack:
            opening = self._processes.begin(str(artifact), stack)
            try:
                answer = self._processes.ask(opening, self._to_open(artifact), stack)
                yield opening.process, answer.values, opening.start
            except EdgennError as error:
                explained = self.explain(error, opening.process.stderr(opening.start))
                raise as_called(explained, artifact) from error

    def _to_open(self, artifact: Path) -> Message:
        return Message({"open": str(artifact.absolute()), "options": self.options})

    def open_ahead(self, artifact: Path) -> None:
        """Within ``with runner:``, begins to open its first artifact while others work.

        What goes wrong is told by ``run``.
        """
        with suppress(EdgennError):
            self._require_artifact(artifact)
            self._processes.open_ahead(str(artifact), self._to_open(artifact))

    def settle(self) -> None:
        """Waits until nothing goes on in the background, which would disturb what is timed."""
        self._processes.settle()

    def __enter__(self) -> Self:
        self._processes.keep()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._processes.close()

    def _require_artifact(self, artifact: Path) -> None:
        if artifact.suffix != self.suffix:
            raise ArtifactError(f"{artifact}: {self.name} runs {self.suffix} files")
        if not artifact.is_file():
            raise ArtifactError(f"{artifact} does not exist")


def as_called(error: EdgennError, artifact: Path) -> EdgennError:
    """An error that names the artifact as the caller does; the child knows its absolute path."""
    absolute, given = str(artifact.absolute()), str(artifact)
    if absolute not in str(error):
        return error
    message, hint = (text.replace(absolute, given) for text in (error.message, error.hint))
    return type(error)(message, hint)


def number_of_samples(inputs: Mapping[str, Array]) -> int:
    """How many samples all inputs hold.

    Raises:
        DataError: None, or the inputs differ.
    """
    counts = {name: len(array) for name, array in inputs.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise DataError(f"the inputs need one number of samples, at least 1: {counts}")
    return next(iter(counts.values()))


def infos(described: list[dict[str, Any]]) -> list[TensorInfo]:
    """What the child said of inputs or outputs."""
    return [TensorInfo(**{**info, "shape": tuple(info["shape"])}) for info in described]


def joined(parts: list[Mapping[str, Array]]) -> dict[str, Array]:
    """All samples by output name."""
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts or [{}])[0]}


def median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def warnings_in(stderr: str) -> tuple[str, ...]:
    """The lines that warn, each once."""
    lines = (line.strip() for line in stderr.splitlines())
    return tuple(dict.fromkeys(line for line in lines if WARNING.search(line)))
