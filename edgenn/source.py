"""Where a model comes from."""

import hashlib
from pathlib import Path
from typing import Any

from edgenn import bundle, manifest
from edgenn.data.python_file import run_file
from edgenn.ir.graph import Graph


def load_source(
    model: Any, *, unsafe: bool = False, custom: str | Path | None = None
) -> tuple[Any, manifest.Source]:
    """The Keras model, and where it came from.

    Args:
        model: A Keras model or the path of one.
        unsafe: Run Python code that the model file holds.
        custom: A Python file with the model's own layers; run before the model is loaded.
    """
    if not isinstance(model, str | Path):
        return model, manifest.Source(path=model.name, format="python", sha256="")
    from edgenn.frontend.loading import load_model

    path = Path(model)
    objects = {} if custom is None else custom_objects(Path(custom))
    loaded = load_model(path, unsafe=unsafe, custom_objects=objects)
    source = manifest.Source(str(model), loaded.format, bundle.sha256_of_source(path))
    return loaded.model, source


def custom_objects(file: Path) -> dict[str, Any]:
    """The classes and functions that a Python file defines, by name."""
    module = run_file(file)
    return {
        name: value
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
    }


def bundle_name(model: Any, loaded: Any) -> str:
    return Path(model).stem if isinstance(model, str | Path) else str(loaded.name)


def with_fingerprint(source: manifest.Source, graph: Graph) -> manifest.Source:
    """The source with a hash; a model object's is that of its float graph, weights included."""
    if source.sha256:
        return source
    digest = hashlib.sha256()
    for op in graph.ops:
        digest.update(f"{op.name} {op.operator} {op.inputs} {op.outputs}\n".encode())
    for name, tensor in graph.tensors.items():
        digest.update(f"{name} {tensor.shape} {tensor.dtype}\n".encode())
        if tensor.data is not None:
            digest.update(tensor.data.tobytes())
    return manifest.Source(source.path, source.format, digest.hexdigest())
