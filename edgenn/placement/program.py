"""What a file makes an engine do, op by op, whatever the file's format."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from edgenn.runtime.tensor_info import Array


@dataclass(frozen=True)
class Value:
    """A tensor as the file declares it.

    Attributes:
        name: It begins with the Keras layer's path in files of edgenn.
        shape: ``None`` where a size is open until run time.
        ranked: Whether the file says the shape at all.
        constant: It is written in the file.
        variable: It keeps its value from run to run.
        scales: Of its quantisation: none, one, or one per channel.
        zero_points: As many.
        data: What the file holds of a constant, where it is at hand.
        number: Tells values of one name in one section apart.
        stored: The dtype that engines keep it in, where QuantizeLinear or DequantizeLinear stands
            beside it; else empty.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    ranked: bool = True
    constant: bool = False
    variable: bool = False
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    number: int = 0
    stored: str = ""
    data: Array | None = field(default=None, compare=False, repr=False)

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_fixed(self) -> bool:
        """Whether every size is known before the file runs."""
        return self.ranked and None not in self.shape

    @property
    def elements(self) -> int:
        """How many numbers; an open size counts as 1."""
        return prod(1 if size is None else size for size in self.shape)

    @property
    def bytes(self) -> int:
        """Of one sample, as the file stores it."""
        bits = 4 if self.dtype.endswith("int4") else 8 * item_bytes(self.dtype)
        return (self.elements * bits + 7) // 8


@dataclass(frozen=True)
class Node:
    """One op.

    Attributes:
        kind: As the format calls it: ``CONV_2D`` in TFLite, ``Conv`` in ONNX.
        inputs: ``None`` for an optional input that is left out.
        attributes: The options that the file gives it, names in lower case with underscores.
        bodies: Numbers of the sections that it runs: the condition and the body of a loop.
        repeats: How often a loop runs them; ``None`` where that is open until run time.
        workspace: Bytes that it needs for itself while it runs, where the file says so.
        captured: What its bodies read from outside without being given it.
    """

    kind: str
    inputs: tuple[Value | None, ...]
    outputs: tuple[Value, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    bodies: tuple[int, ...] = ()
    repeats: int | None = None
    workspace: int = 0
    captured: tuple[Value, ...] = ()

    @property
    def name(self) -> str:
        """The first tensor that it makes."""
        return self.outputs[0].name if self.outputs else ""

    @property
    def given(self) -> tuple[Value, ...]:
        """The inputs that are there."""
        return tuple(value for value in self.inputs if value is not None)

    @property
    def reads(self) -> tuple[Value, ...]:
        """All that has to be there when it runs."""
        return (*self.given, *self.captured)

    @property
    def is_folded(self) -> bool:
        """Whether its results are constants: engines compute it when they load the file."""
        return bool(self.outputs) and all(value.constant for value in self.outputs)

    def input(self, index: int) -> Value | None:
        return self.inputs[index] if index < len(self.inputs) else None


@dataclass(frozen=True)
class Section:
    """The main graph, or what a loop runs.

    Attributes:
        nodes: In the order in which the file has them run.
    """

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Program:
    """A file.

    Attributes:
        format: ``tflite`` or ``onnx``.
        sections: The main graph first.
    """

    format: str
    sections: tuple[Section, ...]

    @property
    def main(self) -> Section:
        return self.sections[0]

    @property
    def nodes(self) -> Iterator[tuple[Node, int]]:
        """All ops that can run, each with the number of its section."""
        for number in self.reached():
            for node in self.sections[number].nodes:
                yield node, number

    def reached(self) -> list[int]:
        """Sections that the main graph runs, itself first."""
        seen: list[int] = []
        waiting = [0]
        while waiting:
            number = waiting.pop(0)
            if number not in seen:
                seen.append(number)
                waiting += [n for node in self.sections[number].nodes for n in node.bodies]
        return seen

    def runs(self) -> dict[int, int]:
        """Section → how often it runs in one inference; a loop of open length counts once."""
        counts = {0: 1}
        for number in self.reached():  # whoever runs a section comes before it
            for node in self.sections[number].nodes:
                for body in node.bodies:
                    here = counts[number] * (1 if node.repeats is None else node.repeats)
                    counts[body] = counts.get(body, 0) + here
        return counts


def item_bytes(dtype: str) -> int:
    """Bytes of one number; 0 for what is no number, such as a handle or text."""
    try:
        return int(np.dtype(dtype).itemsize)
    except TypeError:
        return {"bfloat16": 2, "fixed16": 2}.get(dtype, 0)
