"""What an artifact that runs one step says about itself: its states, and where time is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import prod
from typing import Self

from edgenn.errors import ArtifactError
from edgenn.runtime.tensor_info import TensorInfo

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
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no description of a step: {error}") from error
        return cls(states, inputs, outputs)

    def data_inputs(self, inputs: Sequence[TensorInfo]) -> list[TensorInfo]:
        """What samples are made of: the inputs that are no states, and states to be given."""
        own = {state.input for state in self.states if state.initial is not None}
        return [info for info in inputs if info.name not in own]

    def data_outputs(self, outputs: Sequence[TensorInfo]) -> list[TensorInfo]:
        """The outputs that are no states."""
        states = {state.output for state in self.states}
        return [info for info in outputs if info.name not in states]


def read_step(
    content: bytes | None, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo], where: str
) -> StepInfo | None:
    """What a file says of its steps; ``None`` if it says nothing.

    Raises:
        ArtifactError: It does not fit the inputs and outputs.
    """
    if content is None:
        return None
    try:
        info = StepInfo.from_json(content.decode())
    except ValueError as error:
        raise ArtifactError(
            f"{where} is damaged: its states are not readable", "convert the model again"
        ) from error
    if not fits(info, {i.name: i for i in inputs}, {o.name: o for o in outputs}):
        raise ArtifactError(
            f"{where} is damaged: it has other inputs and outputs than its states say",
            "convert the model again",
        )
    return info


def fits(
    step: StepInfo, inputs: Mapping[str, TensorInfo], outputs: Mapping[str, TensorInfo]
) -> bool:
    """Whether the states and axes are there, and what comes out of a state goes into it."""
    for state in step.states:
        if state.input not in inputs or state.output not in outputs:
            return False
        before, after = inputs[state.input], outputs[state.output]
        if replace(after, name=before.name, shape=before.shape) != before:
            return False
        if len(after.shape) != len(before.shape) or any(
            None not in pair and pair[0] != pair[1]
            for pair in zip(before.shape, after.shape, strict=True)
        ):
            return False
        size = prod(size or 1 for size in before.shape[1:])
        if state.initial is not None and len(state.initial) not in (1, size):
            return False
    pairs = ((step.inputs, inputs), (step.outputs, outputs))
    return all(
        name in known and 0 <= axis < len(known[name].shape) and known[name].shape[axis] == 1
        for axes, known in pairs
        for name, axis in axes.items()
    )
