"""The layers inside wrappers and the cells inside recurrent layers, as a file describes them."""

from collections.abc import Mapping
from typing import Any

from edgenn.frontend.loading.legacy_layer import LegacyLayer


def parts_of(class_name: str, config: Mapping[str, Any], layer: Any) -> tuple[LegacyLayer, ...]:
    """What the layer consists of, in the order in which Keras 2 stores its weights.

    Args:
        class_name: As the file gives it.
        config: The layer's own configuration.
        layer: The Keras 3 layer made from it; its parts may be built later.
    """
    if class_name == "TimeDistributed":
        return (_part("", config["layer"], layer.layer),)
    if class_name == "Bidirectional":
        backward = config.get("backward_layer") or config["layer"]
        return (
            _part("forward_", config["layer"], layer.forward_layer),
            _part("backward_", backward, layer.backward_layer),
        )
    if class_name == "RNN":
        return (_part("", config["cell"], layer.cell),)
    if class_name == "StackedRNNCells":
        cells = zip(config["cells"], layer.cells, strict=True)
        return tuple(_part("", described, cell) for described, cell in cells)
    return ()


def _part(prefix: str, described: Mapping[str, Any], layer: Any) -> LegacyLayer:
    class_name, config = described["class_name"], described["config"]
    return LegacyLayer(
        f"{prefix}{config.get('name', '')}",
        class_name,
        layer,
        bool(config.get("trainable", True)),
        parts_of(class_name, config, layer),
    )
