"""Keras's loop over time inside a traced call, recorded as one operation.

On symbolic tensors ``RNN.call`` would fail: it loops over values. It runs on them where a subclass
of a recurrent layer is traced, or calls ``super().call`` in a ``call`` of its own.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from edgenn.frontend.keras_import import keras

RNN = keras.layers.RNN


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
    """Records ``RNN.call`` where it is called on symbolic tensors."""
    original = RNN.call

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
        return Recurrence(self).symbolic_call(sequences, initial_state=initial_state, mask=mask)

    recorded: Callable[..., Any] = functools.wraps(original)(call)
    RNN.call = recorded
    try:
        yield
    finally:
        RNN.call = original
