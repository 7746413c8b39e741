"""Where a model comes from."""

import hashlib
from pathlib import Path
from typing import Any

from edgenn import bundle
from edgenn.ir.graph import Graph


def load_source(model: Any, *, unsafe: bool = False) -> tuple[Any, bundle.Source]:
    """The Keras model, and where it came from."""
    if not isinstance(model, str | Path):
        return model, bundle.Source(path=model.name, format="python", sha256="")
    from edgenn.frontend.loading import load_model

    path = Path(model)
    loaded = load_model(path, unsafe=unsafe)
    source = bundle.Source(str(model), loaded.format, bundle.sha256_of_source(path))
    return loaded.model, source


def bundle_name(model: Any, loaded: Any) -> str:
    return Path(model).stem if isinstance(model, str | Path) else str(loaded.name)


def with_fingerprint(source: bundle.Source, graph: Graph) -> bundle.Source:
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
    return bundle.Source(source.path, source.format, digest.hexdigest())
