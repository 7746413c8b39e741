"""Keras's loop over time inside a traced call, recorded as one operation.

On symbolic tensors ``RNN.call`` would fail: it loops over values. It runs on them where a subclass
of a recurrent layer is traced, or calls ``super().call`` in a ``call`` of its own.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from edgenn.frontend.keras_import import keras

LOOPS = (keras.layers.RNN, keras.layers.Bidirectional)
"""Keras's classes that loop; its other recurrent layers derive from the first."""

DropoutRNNCell = keras.src.layers.rnn.dropout_rnn_cell.DropoutRNNCell
DROPOUT = ("get_dropout_mask", "get_recurrent_dropout_mask")
"""Its methods that draw random numbers, which they do for steps of inference, too."""


class Recurrence(keras.Operation):  # type: ignore[misc]
    """What ``call`` of Keras's own class does in a recurrent layer."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def compute_output_spec(
        self, sequences: Any, initial_state: Any = None, mask: Any = None
    ) -> Any:
        own: Any = next(class_ for class_ in type(self.layer).__mro__ if is_of_keras(class_))
        return self._symbols(own.compute_output_shape(self.layer, sequences.shape))

    def _symbols(self, shape: Any) -> Any:
        """A symbolic tensor for each shape of a structure."""
        if all(size is None or isinstance(size, int) for size in shape):
            return keras.KerasTensor(shape, self.layer.compute_dtype)
        return tuple(self._symbols(inner) for inner in shape)


def is_of_keras(definition: Any) -> bool:
    """Whether a class or function is one of Keras's own."""
    module: str = definition.__module__
    return module.partition(".")[0] == "keras"


@contextmanager
def recorded_loops() -> Iterator[None]:
    """Records the ``call`` of Keras's own classes where that is called on symbolic tensors.

    Cells draw no masks for their dropout meanwhile.
    """
    before = [(class_, "call", class_.call) for class_ in LOOPS]
    before += [(DropoutRNNCell, name, getattr(DropoutRNNCell, name)) for name in DROPOUT]
    for class_, name, original in before:
        setattr(class_, name, recorded(original) if name == "call" else no_dropout)
    try:
        yield
    finally:
        for class_, name, original in before:
            setattr(class_, name, original)


def no_dropout(cell: Any, step_input: Any) -> None:
    """The mask of a dropout at inference."""


def recorded(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(
        self: Any,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: Any = False,
    ) -> Any:
        values = keras.tree.flatten((sequences, initial_state, mask))
        if not any(isinstance(value, keras.KerasTensor) for value in values):
            return original(self, sequences, initial_state, mask, training)
        # the mask stands among the arguments: no keyword that Keras would have filled in
        return Recurrence(self).symbolic_call(sequences, initial_state, mask)

    return call


def bound_again(function: Callable[..., Any]) -> Callable[..., Any]:
    """A recurrent layer's method as its class has it now."""
    layer = getattr(function, "__self__", None)
    if not isinstance(layer, LOOPS):
        return function
    method: Callable[..., Any] = getattr(layer, function.__name__)
    return method
