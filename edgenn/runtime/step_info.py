"""What an artifact that runs one step says about itself: its states, and where time is."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

METADATA_KEY = "edgenn.step"
"""Of the metadata buffer in a .tflite, of the metadata property in an .onnx."""


@dataclass(frozen=True)
class State:
    """An input and the output that is its value at the next step.

    Attributes:
        input: Public name of the state before a step.
        output: Public name of the state after it; same shape, dtype and scale.
        initial: Before the first step, as real numbers: one for all, or the values of one sample
            in C order. ``None`` where whoever runs it has to say.
    """

    input: str
    output: str
    initial: tuple[float, ...] | None = (0.0,)


@dataclass(frozen=True)
class StepInfo:
    """How the steps of an artifact follow each other.

    Attributes:
        states: In the order of the artifact's inputs.
        inputs: Public names of the inputs that hold one step of a sequence → the axis of time,
            which has size 1. Other inputs are the same at every step.
        outputs: Likewise; other outputs hold what is known after the step.
    """

    states: tuple[State, ...] = ()
    inputs: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what ``to_json`` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            data = json.loads(text)
            states = tuple(
                State(
                    str(entry["input"]),
                    str(entry["output"]),
                    None if entry["initial"] is None else tuple(map(float, entry["initial"])),
                )
                for entry in data["states"]
            )
            inputs, outputs = (
                {str(name): int(axis) for name, axis in data[kind].items()}
                for kind in ("inputs", "outputs")
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no description of a step: {error}") from error
        return cls(states, inputs, outputs)
