"""What Keras says: predictions kept in a bundle, or made when they are needed."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from edgenn import bundle, compiler
from edgenn.bundle import Bundle
from edgenn.data import Dataset, load
from edgenn.drift.check import Predict
from edgenn.errors import UsageError
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.source import load_source

PREDICTED = 32
"""Samples that Keras predicts at once."""


def keep_reference(
    model: Any, graph: Graph, reference: Any, files: dict[str, bytes]
) -> bundle.Reference:
    """Adds the Keras predictions on ``reference`` to the bundle's files."""
    samples = load(reference, list(graph.inputs), split="test")
    compiler.require_fit(graph, samples.inputs)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **predictions(model, graph, samples))
    content = buffer.getvalue()
    files[bundle.REFERENCE] = content
    return bundle.Reference(bundle.REFERENCE, hashlib.sha256(content).hexdigest(), samples.sha256)


def predictions(model: Any, graph: Graph, samples: Dataset) -> dict[str, Array]:
    """Keras's outputs by public name, batch by batch."""
    from edgenn.frontend.prediction import predict

    return predict(model, list(graph.inputs), list(graph.outputs), samples.batches(PREDICTED))


def source_of_truth(converted: Bundle, model: Any) -> Predict | None:
    """How the bundle's Keras model predicts: the given model, else the file it came from."""
    if model is None:
        source = converted.manifest.source
        path = Path(source.path)
        if source.format == "python" or not path.exists():
            return None
        if bundle.sha256_of_source(path) != source.sha256:
            raise UsageError(
                f"{path} is not the model that was converted: it has changed since",
                "convert it again, or give the right one with --model",
            )
        model = path

    def predict(samples: Dataset) -> dict[str, Array]:
        options = converted.manifest.options
        unsafe, custom = bool(options.get("unsafe")), options.get("custom")
        loaded, _ = load_source(model, unsafe=unsafe, custom=custom)
        graph = compiler.graph_of(loaded, batch=options.get("batch"))
        compiler.require_fit(graph, samples.inputs)
        return predictions(loaded, graph, samples)

    return predict
