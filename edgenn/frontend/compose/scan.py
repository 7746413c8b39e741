"""Cells run step after step: what every way of doing that has in common, and ``Scan``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgenn.frontend.compose import time
from edgenn.frontend.context import Context, as_array
from edgenn.frontend.keras_import import keras
from edgenn.ir.ops import Scan, Select
from edgenn.ir.tensor import Shape

Cell = Callable[[Context, str, list[str]], tuple[str, list[str]]]
"""Writes one step into a context of its own: its input and states → its output and new states."""


@dataclass(frozen=True)
class Steps:
    """What a cell runs over, and how.

    Attributes:
        x: A sequence ``(B, T, …)``.
        initial: The states at the beginning, structured as the cell has them: tensors, or
            arrays whose first axis is the batch or 1.
        mask: ``(B, T)`` of bool. Where it is false the states stay, and the output is that of
            the step before (zeros if there is none).
        zeroed: The output is zeros instead where the mask is false.
        reverse: From the last step to the first.
        stacked: Whether the outputs of all steps are wanted; otherwise that of the last.
    """

    x: str
    initial: list[Any]
    mask: str | None = None
    zeroed: bool = False
    reverse: bool = False
    stacked: bool = True

    @property
    def leaves(self) -> list[Any]:
        """The initial states one after another."""
        return list(keras.tree.flatten(self.initial))

    @property
    def from_zero(self) -> bool:
        """Whether all states are known to begin at zero."""
        return not any(isinstance(leaf, str) or np.any(as_array(leaf)) for leaf in self.leaves)

    def initial_states(self, context: Context) -> list[str]:
        """The initial states as tensors; none if they are zero."""
        if self.from_zero:
            return []
        states = [time.for_each_sample(context, self.x, leaf) for leaf in self.leaves]
        return [context.cast(state, "float32") for state in states]


@dataclass(frozen=True)
class Run:
    """What a cell gave.

    Attributes:
        sequence: The outputs ``(B, T, …)`` in input order, if they were wanted.
        last: The output of the step that was run last, if that was wanted.
        final: The states at the end.
        unstarted: Before the first step that counts, the output is the initial state instead
            of zeros.
    """

    sequence: str | None
    last: str | None
    final: list[str]
    unstarted: bool = False


def write_scan(
    context: Context, steps: Steps, cell: Cell, names: Sequence[str] | None = None
) -> Run:
    """A loop around a cell.

    Args:
        names: What its states are called.
    """
    names = ["state"] * len(steps.leaves) if names is None else names
    return ScanWriter(context, steps, names).write(cell)


class ScanWriter:
    """The cell's graph and the op that runs it."""

    def __init__(self, context: Context, steps: Steps, names: Sequence[str]) -> None:
        self.context = context
        self.steps = steps
        self.inner = Context(context.path)
        self.initial = steps.initial_states(context)
        sizes: list[Shape] = [
            context.shape(leaf)[1:] if isinstance(leaf, str) else tuple(leaf.shape[1:])
            for leaf in steps.leaves
        ]
        self.sequences = [steps.x]
        x = context.tensor(steps.x)
        self.x = self.input("input", x.shape[2:], x.dtype)
        self.mask = ""
        if steps.mask is not None:
            rank = 1 + max([1, *map(len, sizes)])
            self.sequences.append(time.spread(context, steps.mask, rank + 1))
            self.mask = self.input("mask", (1,) * (rank - 1), "bool")
        self.names = list(names)
        self.states = [self.input(*pair) for pair in zip(names, sizes, strict=True)]

    def input(self, name: str, sizes: Shape, dtype: str = "float32") -> str:
        """An input of the cell's graph."""
        builder = self.inner.builder
        return builder.input(
            builder.unique(f"{self.context.path}/cell/{name}"), (None, *sizes), dtype
        )

    @property
    def repeats(self) -> bool:
        """Whether a step that does not count repeats the output before it."""
        return self.steps.mask is not None and not self.steps.zeroed

    def write(self, cell: Cell) -> Run:
        """Adds the op."""
        inner = self.inner
        with inner.call(f"{self.context.path}/cell", self.context.outputs):
            output, new = cell(inner, self.x, list(self.states))
            output = self.per_sample(output, self.x)
            new = self.checked(new)
            held = [self.held(*pair) for pair in zip(new, self.states, strict=True)]
            place = new.index(output) if output in new else None
            if place is not None and not (self.repeats and self.initial):
                value = held[place] if self.repeats else output
            elif self.repeats or not self.steps.stacked:
                place = len(held)
                value = self.previous_output(output)
                held.append(value)
            else:
                place, value = None, output
        final, sequence = self.add(held, value)
        last = None if place is None else final[place]
        return self.finished(Run(sequence, last, final[: len(new)]))

    def per_sample(self, value: str, like: str) -> str:
        """A result of the cell as real numbers, in as many rows as one of its inputs has."""
        return time.for_each_sample(self.inner, like, self.inner.cast(value, "float32"))

    def checked(self, new: list[str]) -> list[str]:
        """New states with the types of the old ones."""
        inner, old = self.inner, self.states
        new = [self.per_sample(value, old[0]) for value in new]
        before, after = (list(map(inner.shape, states)) for states in (old, new))
        if before != after:
            raise inner.unsupported(
                f"its states begin as {before} and become {after} after one step",
                "let the cell return as many states as it takes, in the same shapes",
            )
        return new

    def held(self, new: str, old: str) -> str:
        """The new value; the old one at a step that does not count."""
        if not self.mask:
            return new
        mask, rank = self.mask, self.inner.rank(new)
        if self.inner.rank(mask) != rank:
            mask = self.inner.reshape(mask, (None, *[1] * (rank - 1)))
        return self.inner.add(Select(), [mask, new, old], "held")

    def previous_output(self, output: str) -> str:
        """The output as one more state, which begins as zeros."""
        context, sizes = self.context, self.inner.shape(output)[1:]
        previous = self.input("output", sizes)
        self.names.append("output")
        if self.initial:
            zeros = np.zeros((1, *(size or 1 for size in sizes)), np.float32)
            self.initial.append(time.for_each_sample(context, self.steps.x, zeros))
        return self.held(output, previous) if self.repeats else output

    def add(self, states: list[str], output: str) -> tuple[list[str], str | None]:
        """The final states, and the sequence if it is wanted."""
        path, inner = self.context.path, self.inner
        results = {f"{path}/cell/next_{i}": state for i, state in enumerate(states)}
        names = [f"{path}/{name}" for name in self.names]
        if self.steps.stacked:
            results[f"{path}/cell/output"] = output
            names.append(f"{path}/sequence")
        scan = Scan(
            inner.builder.finish(results),
            sequences=len(self.sequences),
            zero_state=not self.initial,
            reverse=self.steps.reverse,
        )
        made = self.context.builder.add_multiple(scan, [*self.sequences, *self.initial], names)
        final = list(made[: len(states)])
        return final, made[-1] if self.steps.stacked else None

    def finished(self, run: Run) -> Run:
        """Zeros in the sequence where the mask asks for them."""
        steps = self.steps
        if steps.mask is None or not steps.zeroed or run.sequence is None:
            return run
        return replace(run, sequence=time.where(self.context, steps.mask, run.sequence))
