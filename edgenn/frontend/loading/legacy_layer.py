"""A layer of the new model with what a file of Keras 2 says about it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LegacyLayer:
    """A Keras 3 layer with what the file says about it, as needed to find its weights.

    Attributes:
        name: The name in the file; ``None`` where Keras 2.1 stored none.
        class_name: The class in the file.
        layer: The Keras 3 layer or model; built once the model is wired.
        trainable: Keras 2's flag; it decides the order of the stored weights.
        children: The layers of a nested model, in the file's order; what a wrapper wraps.
    """

    name: str | None
    class_name: str
    layer: Any
    trainable: bool = True
    children: "tuple[LegacyLayer, ...]" = ()
