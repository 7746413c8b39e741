"""What a session needs of an inference engine."""

from collections.abc import Sequence
from typing import Protocol

from edgenn.errors import UsageError
from edgenn.runtime.step_info import StepInfo
from edgenn.runtime.tensor_info import Array, TensorInfo


class Engine(Protocol):
    """One artifact, loaded by one engine.

    Attributes:
        name: As ``Session(engine=…)`` takes it.
        version: Package and version of what runs.
        inputs: In the artifact's order.
        outputs: In the artifact's order.
        step: How the steps of an artifact that runs one follow each other.
    """

    name: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    step: StepInfo | None

    @property
    def version(self) -> str: ...

    def reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Says which shapes the inputs will have from now on; before the first ``run`` as well.

        Raises:
            EngineError: The engine refuses the artifact in these shapes.
        """
        ...

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Runs once.

        Args:
            arrays: One for each input, in its dtype and of the shape said before.

        Returns:
            One array for each output, in its dtype; the caller's to keep.

        Raises:
            EngineError: The engine refused to run.
        """
        ...


class ClosedEngine:
    """What is left of an engine when its session is closed."""

    def __init__(self, engine: Engine) -> None:
        self.name, self.version = engine.name, engine.version
        self.inputs, self.outputs, self.step = engine.inputs, engine.outputs, engine.step

    def reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        raise UsageError("the session is closed", "open a new one")

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        raise UsageError("the session is closed", "open a new one")
