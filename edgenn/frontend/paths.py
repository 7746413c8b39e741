"""Paths of a model's layers, as the tensors of its graph are named after them."""

from typing import Any


def layer_paths(model: Any, scope: str = "") -> dict[str, None]:
    """Paths of the layers inside a model, inner models' and wrappers' too, in its order."""
    paths: dict[str, None] = {}
    for layer in getattr(model, "layers", ()):
        if type(layer).__name__ == "InputLayer":
            continue
        path = scope + layer.name
        paths[path] = None
        paths.update(layer_paths(layer, f"{path}/"))
    return paths
