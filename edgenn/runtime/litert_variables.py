"""Variable tensors: the states that kernels of LiteRT keep from one run to the next."""

from collections.abc import Sequence
from typing import Any

from edgenn.runtime.tflite_file import Variable


class Variables:
    """The variables of a loaded file; false if it has none.

    A fused LSTM goes on where the last run ended. Runs of samples that have nothing to do with
    each other need ``reset`` in between.
    """

    def __init__(self, variables: Sequence[Variable], interpreter: Any) -> None:
        self._variables = variables
        self._interpreter = interpreter
        self.reset = interpreter.reset_all_variables
        """Sets every state to 0."""
        self.were_resized = False
        """Whether ``resize`` gave any state another shape."""

    def __bool__(self) -> bool:
        return bool(self._variables)

    def resize(self, inputs: Sequence[tuple[int, ...]]) -> None:
        """Gives states whose batch is open rows for all samples; LiteRT resizes only inputs.

        Args:
            inputs: The shapes of the model's inputs, batch first.
        """
        for variable in self._variables:
            if variable.shape[:1] == (None,):
                shape = (variable.rows * inputs[0][0], *variable.shape[1:])
                self._interpreter.resize_tensor_input(variable.index, shape, strict=True)
                self.were_resized = True
