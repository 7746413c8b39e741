"""A runner without an engine, for tests of what stands above runners."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from edgenn.errors import EdgennError
from edgenn.runners.protocol import Message
from edgenn.runners.runner import Conversation, Runner
from edgenn.runtime.tensor_info import Array

Compute = Callable[[Mapping[str, Array]], Mapping[str, Array]]


class FakeRunner(Runner):
    """Computes outputs by a function, or fails as it is told.

    Args:
        compute: Samples of all inputs → outputs.
        error: Raised instead of an answer.
        stderr: What the engine would have printed.
        latency_ms: Of each sample.
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
    ) -> None:
        super().__init__()
        self.suffix = suffix
        self.compute = compute or dict
        self.error = error
        self.printed = stderr
        self.latency_ms = latency_ms
        self.artifacts: list[Path] = []

    @contextmanager
    def start(self, artifact: Path) -> Iterator[Conversation]:
        self.artifacts.append(artifact)
        yield _FakeProcess(self)


class _FakeProcess:
    def __init__(self, runner: FakeRunner) -> None:
        self.runner = runner

    def ask(self, message: Message | None = None) -> Message:
        if message is None:
            return Message({"version": "fake 1.0", "inputs": [], "outputs": []})
        if self.runner.error is not None:
            raise self.runner.error
        count = len(next(iter(message.arrays.values())))
        return Message(
            {"latencies_ms": [self.runner.latency_ms] * count}, self.runner.compute(message.arrays)
        )

    def stderr(self) -> str:
        return self.runner.printed
