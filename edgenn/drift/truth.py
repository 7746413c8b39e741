"""What artifacts are judged by."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from edgenn.data import Dataset
from edgenn.runtime.tensor_info import Array

if TYPE_CHECKING:
    from edgenn.ir.graph import Graph

Outputs = Mapping[str, Array]
"""Output name → array, samples first."""
Sink = Callable[[Outputs], None]
"""Takes the outputs of some samples."""


class Truth(Protocol):
    """The Keras model; it is loaded when something is asked of it."""

    @property
    def is_loaded(self) -> bool:
        """Whether it has been asked before, so that asking again is cheap."""
        ...

    def predict(self, data: Dataset, sink: Sink) -> None:
        """Hands on Keras's predictions of all samples, part by part."""
        ...

    def graph(self) -> "Graph":
        """The model as edgenn captured it, in float."""
        ...
