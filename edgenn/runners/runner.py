"""The template of every runner: checks, child process, time limit, findings."""

import re
import statistics
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edgenn.errors import ArtifactError, DataError
from edgenn.progress import Progress
from edgenn.runners.protocol import Message
from edgenn.runtime.tensor_info import Array, TensorInfo

MESSAGE_BYTES = 1 << 24
"""Samples that go to the child in one message; bounds the memory on both sides."""

WARNING = re.compile(r"warn|error|fail|fallback|not supported|unsupported", re.IGNORECASE)


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
    """

    engine: str
    version: str
    outputs: Mapping[str, Array]
    latency_ms: float | None
    warnings: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    step_latency_ms: float | None = None


class Conversation(Protocol):
    """The part of a child process that a runner talks to."""

    def ask(self, message: Message | None = None) -> Message:
        """Sends a message, if given, and gives the answer."""
        ...

    def stderr(self) -> str:
        """What the engine has printed."""
        ...


class Runner(ABC):
    """Runs artifacts on one target. An engine sets the names and starts the process.

    Attributes:
        name: In tables and reports.
        suffix: Of the artifacts that it runs.
        time_limit_s: For each message of samples.
    """

    name: str
    suffix: str

    def __init__(self, time_limit_s: float = 600.0) -> None:
        self.time_limit_s = time_limit_s

    @abstractmethod
    def start(self, artifact: Path) -> AbstractContextManager[Conversation]:
        """A process that has the artifact open: its first answer holds its ``version``."""

    def describe(self, artifact: Path) -> tuple[list[TensorInfo], list[TensorInfo]]:
        """Inputs and outputs, as the engine sees them; errors as of ``run``."""
        self._require_artifact(artifact)
        with self.start(artifact) as process:
            values = process.ask().values
        inputs, outputs = (
            [TensorInfo(**{**info, "shape": tuple(info["shape"])}) for info in values[kind]]
            for kind in ("inputs", "outputs")
        )
        return inputs, outputs

    def run(
        self,
        artifact: Path,
        inputs: Mapping[str, Array],
        progress: Progress | None = None,
        *,
        chunk: int | None = None,
    ) -> RunResult:
        """Runs all samples; whole sequences where the artifact runs one step.

        Args:
            artifact: A file of this runner's suffix.
            inputs: Input name → array, samples first, real numbers.
            progress: Called after each part.
            chunk: Steps of a sequence to give at once.

        Raises:
            ArtifactError: The file is missing, damaged or of another kind.
            DataError: Samples that do not fit the artifact.
            EngineError: The engine crashed, took too long or refused.
            UnavailableError: The engine is not installed.
            UsageError: A chunk for an artifact that runs whole sequences.
        """
        self._require_artifact(artifact)
        counts = {name: len(array) for name, array in inputs.items()}
        if len(set(counts.values())) != 1 or 0 in counts.values():
            raise DataError(f"the inputs need one number of samples, at least 1: {counts}")
        count = next(iter(counts.values()))
        parts: list[Mapping[str, Array]] = []
        latencies_ms: list[float] = []
        step_latencies_ms: list[float] = []
        done = 0
        with self.start(artifact) as process:
            version = str(process.ask().values["version"])
            for part in split(inputs, count):
                answer = process.ask(Message({"chunk": chunk}, part))
                parts.append(answer.arrays)
                latencies_ms += answer.values["latencies_ms"]
                step_latencies_ms += answer.values.get("step_latencies_ms", ())
                done += len(next(iter(part.values())))
                if progress is not None:
                    progress(f"{artifact.name} on {self.name}", done, count)
            warnings = warnings_in(process.stderr())
        outputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return RunResult(
            self.name,
            version,
            outputs,
            statistics.median(latencies_ms) if latencies_ms else None,
            warnings,
            findings_in(outputs),
            statistics.median(step_latencies_ms) if step_latencies_ms else None,
        )

    def _require_artifact(self, artifact: Path) -> None:
        if artifact.suffix != self.suffix:
            raise ArtifactError(f"{artifact}: {self.name} runs {self.suffix} files")
        if not artifact.is_file():
            raise ArtifactError(f"{artifact} does not exist")


def split(inputs: Mapping[str, Array], count: int) -> Iterator[dict[str, Array]]:
    """The samples in parts of bounded size."""
    sample_bytes = sum(array.nbytes for array in inputs.values()) // count
    size = max(1, MESSAGE_BYTES // max(1, sample_bytes))
    for start in range(0, count, size):
        yield {name: array[start : start + size] for name, array in inputs.items()}


def warnings_in(stderr: str) -> tuple[str, ...]:
    """The lines that warn, each once."""
    lines = (line.strip() for line in stderr.splitlines())
    return tuple(dict.fromkeys(line for line in lines if WARNING.search(line)))


def findings_in(outputs: Mapping[str, Array]) -> tuple[str, ...]:
    """Outputs that are no numbers."""
    findings = []
    for name, array in outputs.items():
        bad = int(array.size - np.isfinite(array).sum()) if array.dtype.kind == "f" else 0
        if bad:
            findings.append(f"output {name!r}: {bad} of {array.size} values are NaN or infinite")
    return tuple(findings)
