"""A runner without an engine, for tests of what stands above runners."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from edgenn.errors import EdgennError
from edgenn.runners.facts import Facts
from edgenn.runners.processes import Conversation
from edgenn.runners.protocol import Message
from edgenn.runners.runner import Runner
from edgenn.runtime.tensor_info import Array

Compute = Callable[[Mapping[str, Array]], Mapping[str, Array]]


class FakeRunner(Runner):
    """Computes outputs by a function, or fails as it is told.

    Args:
        compute: Samples of all inputs → outputs.
        error: Raised instead of an answer.
        stderr: What the engine would have printed.
        latency_ms: Of each sample.
        facts: What the engine would know.

    Attributes:
        artifacts: What was opened, in order.
        starts: How many processes there would have been.
    """

    name = "fake"

    def __init__(
        self,
        compute: Compute | None = None,
        *,
        suffix: str = ".tflite",
        error: EdgennError | None = None,
        stderr: str = "",
        latency_ms: float = 1.0,
        facts: Facts | None = None,
    ) -> None:
        super().__init__()
        self.suffix = suffix
        self.compute = compute or dict
        self.error = error
        self.printed = stderr
        self.latency_ms = latency_ms
        self.facts = facts or Facts()
        self.artifacts: list[Path] = []
        self.starts = 0

    @contextmanager
    def start(self) -> Iterator[Conversation]:
        self.starts += 1
        yield _FakeProcess(self)


class _FakeProcess:
    artifact = ""
    is_alive = True
    timed_out = False

    def __init__(self, runner: FakeRunner) -> None:
        self.runner = runner

    def ask(self, message: Message | None = None) -> Message:
        assert message is not None
        if "open" in message.values:
            self.runner.artifacts.append(Path(self.artifact))
            opened = {"version": "fake 1.0", "inputs": [], "outputs": []}
            return Message({**opened, "facts": asdict(self.runner.facts)})
        if self.runner.error is not None:
            raise self.runner.error
        count = len(next(iter(message.arrays.values())))
        values = {
            "latencies_ms": [self.runner.latency_ms] * count,
            "step_latencies_ms": [],
            "facts": {},
        }
        return Message(values, self.runner.compute(message.arrays))

    def stderr(self, start: int = 0) -> str:
        return self.runner.printed[start:]

    def stderr_size(self) -> int:
        return 0
