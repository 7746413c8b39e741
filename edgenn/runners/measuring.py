"""How long an engine takes and how much memory: one artifact in a process of its own."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgenn.progress import Progress, silent
from edgenn.runners.facts import Facts
from edgenn.runners.not_numbers import findings_in
from edgenn.runners.protocol import Message
from edgenn.runners.runner import Runner, infos, number_of_samples
from edgenn.runtime.session import fixed_batch
from edgenn.runtime.tensor_info import Array, TensorInfo

MESSAGE_BYTES = 1 << 18
"""Samples that lie in the engine's process at once: what is measured there is the engine."""

MESSAGE_S = 1.0
"""For how long it runs at most before it is heard of again; the time limit is for each message."""

Samples = Callable[[Sequence[TensorInfo]], Mapping[str, Array]]
"""Inputs as the engine sees them → samples of each, which are run over and over."""


@dataclass(frozen=True)
class Measured:
    """What was seen of an engine at work.

    Attributes:
        version: Package and version of what ran.
        latencies_ms: Of one sample, or of one step where the artifact runs one; run by run, the
            first ones included.
        facts: Where it ran, and what it costs there.
        warnings: Lines of the engine's stderr that a user should see.
        findings: What is wrong with the outputs, such as NaN.
    """

    version: str
    latencies_ms: tuple[float, ...]
    facts: Facts
    warnings: tuple[str, ...]
    findings: tuple[str, ...]


def measure(
    runner: Runner,
    artifact: Path,
    samples: Samples,
    runs: int,
    *,
    steps: bool = False,
    progress: Progress = silent,
) -> Measured:
    """Runs an artifact so many times; errors as of ``Runner.run``.

    Args:
        samples: What it runs on; a batch at a time where the artifact's is fixed.
        runs: How often the engine runs; of an artifact that runs one step, how many steps.
        steps: Whether the artifact runs one step.
    """
    latencies_ms: list[float] = []
    findings: tuple[str, ...] = ()
    with runner._opened(artifact) as (process, opened, start):
        inputs = infos(opened["inputs"])
        arrays = samples(inputs)
        batch = fixed_batch(inputs) or 1
        calls = Calls(arrays, batch)
        while len(latencies_ms) < runs:
            part = calls.next(runs - len(latencies_ms))
            answer = process.ask(Message({"run": True, "chunk": 1 if steps else None}, part))
            if steps:
                taken_ms = [took_ms / batch for took_ms in answer.values["step_latencies_ms"]]
            else:
                taken_ms = answer.values["latencies_ms"]
            calls.took(taken_ms)
            latencies_ms += taken_ms
            findings = findings or findings_in(answer.arrays)
            progress(f"{artifact.name} on {runner.name}", min(len(latencies_ms), runs), runs)
        said = runner.read_stderr(process.stderr(start))
    facts = {**opened["facts"], **answer.values["facts"], **said.facts}
    return Measured(
        opened["version"],
        tuple(latencies_ms[:runs]),
        Facts.from_values({**facts, "first_run_ms": latencies_ms[0]}),
        said.warnings,
        (*said.findings, *findings),
    )


class Calls:
    """Samples in turn, in messages of bounded size and duration.

    The first call is one run by itself: it may take long, and says how long others take.
    """

    def __init__(self, arrays: Mapping[str, Array], batch: int) -> None:
        self._arrays = arrays
        self._batch = batch
        self._count = number_of_samples(arrays)
        self._bytes = sum(array.nbytes for array in arrays.values()) / self._count * batch
        self._row = 0
        self._calls = 0  # in the last message
        self._runs_per_call = 1.0  # more where a sample has many steps
        self._call_s = MESSAGE_S

    def next(self, runs: int) -> dict[str, Array]:
        """The samples of the next message, for at most so many runs."""
        most = (runs / self._runs_per_call, MESSAGE_BYTES / self._bytes, MESSAGE_S / self._call_s)
        self._calls = max(1, math.floor(min(most)))
        rows = np.arange(self._row, self._row + self._calls * self._batch) % self._count
        self._row = int(rows[-1]) + 1
        return {name: np.asarray(array[rows]) for name, array in self._arrays.items()}

    def took(self, latencies_ms: Sequence[float]) -> None:
        """What the runs of the last message took, each."""
        self._runs_per_call = len(latencies_ms) / self._calls
        self._call_s = max(1e-6, sum(latencies_ms) / 1e3 * self._batch / self._calls)
