"""Keras layers that keep their states between calls, in predictions."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgenn.errors import DataError
from edgenn.frontend.context import as_array
from edgenn.frontend.keras_import import keras
from edgenn.ir.tensor import Array


@dataclass(frozen=True)
class Sequences:
    """How a model with a fixed number of steps runs longer sequences: piece after piece.

    Attributes:
        steps: Of one call.
        inputs: Public name → axis of time; other inputs are the same in every piece.
        outputs: Likewise; of other outputs the last piece's counts.
    """

    steps: int
    inputs: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, int] = field(default_factory=dict)

    def pieces(self, batch: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
        """The batch cut along time.

        Raises:
            DataError: It is no whole number of pieces long.
        """
        total = max(batch[name].shape[axis] for name, axis in self.inputs.items())
        if total % self.steps:
            raise DataError(
                f"sequences of {total} steps are no multiple of the model's {self.steps}",
                "cut them, or build the model for any number of steps",
            )
        for start in range(0, total, self.steps):
            yield {
                name: np.take(array, range(start, start + self.steps), self.inputs[name])
                if name in self.inputs
                else array
                for name, array in batch.items()
            }

    def joined(self, names: Sequence[str], pieces: Sequence[Sequence[Array]]) -> list[Array]:
        """The outputs of all pieces, in the order of ``names``."""
        return [
            np.concatenate(column, self.outputs[name]) if name in self.outputs else column[-1]
            for name, column in zip(names, zip(*pieces, strict=True), strict=True)
        ]


def stateful_layers(model: Any) -> list[Any]:
    """The recurrent layers that keep their states, nested ones included."""
    layers = [model, *model._flatten_layers()]
    return [x for x in layers if isinstance(x, keras.layers.RNN) and x.stateful]


def states_of(model: Any) -> list[Any]:
    """The variables that hold the states."""
    return [
        state
        for layer in stateful_layers(model)
        for state in keras.tree.flatten(layer.states or [])
    ]


def reset(model: Any) -> None:
    """Sets all states to zeros; ``reset_state`` of a layer fails on those of stacked cells."""
    for state in states_of(model):
        state.assign(keras.ops.zeros_like(state))


@contextmanager
def kept_states(model: Any) -> Iterator[None]:
    """Whatever happens inside, the states are afterwards what they were before."""
    states = states_of(model)
    before = [as_array(state).copy() for state in states]
    try:
        yield
    finally:
        for state, value in zip(states, before, strict=True):
            state.assign(value)
