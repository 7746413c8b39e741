"""What loading gives back."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LoadedModel:
    """A model and where it comes from.

    Attributes:
        model: A ``keras.Model`` of Keras 3, not compiled.
        format: ``"keras"``, ``"h5"`` or ``"saved_model"``.
        keras_version: The version that saved the file, ``""`` where the file does not say.
    """

    model: Any
    format: str
    keras_version: str
