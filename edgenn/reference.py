"""What Keras says: predictions kept in a bundle, or made when they are needed."""

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgenn import bundle, compiler
from edgenn.batches import require_fit
from edgenn.bundle import Bundle
from edgenn.data import Dataset, load
from edgenn.drift.check import Predict
from edgenn.errors import UsageError
from edgenn.ir.graph import Graph
from edgenn.ir.stepping import step_of
from edgenn.ir.tensor import Array
from edgenn.lowering.recurrent.forms import Form, lowered
from edgenn.manifest import Reference
from edgenn.sequences import STEPS_A_CALL, graph_of_sequences
from edgenn.source import load_source

if TYPE_CHECKING:
    from edgenn.frontend.stateful import Sequences

PREDICTED = 32
"""Samples that Keras predicts at once."""


def keep_reference(model: Any, graph: Graph, reference: Any, files: dict[str, bytes]) -> Reference:
    """Adds the Keras predictions on ``reference`` to the bundle's files."""
    samples = load(reference, list(graph.inputs), split="test")
    require_fit(graph, samples.inputs)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **predictions(model, graph, samples))
    content = buffer.getvalue()
    files[bundle.REFERENCE] = content
    return Reference(bundle.REFERENCE, hashlib.sha256(content).hexdigest(), samples.sha256)


def predictions(model: Any, graph: Graph, samples: Dataset) -> dict[str, Array]:
    """Keras's outputs by public name, batch by batch; each from states of zero."""
    from edgenn.frontend.prediction import predict

    fixed = next((tensor.shape[0] for tensor in graph.input_tensors() if tensor.shape), None)
    size = fixed or PREDICTED
    batches = (filled(batch, size) if fixed else batch for batch in samples.batches(size))
    outputs = predict(model, list(graph.inputs), list(graph.outputs), batches, sequences_of(graph))
    return {name: array[: len(samples)] for name, array in outputs.items()}


def filled(batch: dict[str, Array], size: int) -> dict[str, Array]:
    """The batch with its last sample again until there are ``size``."""
    return {
        name: np.concatenate([array, np.repeat(array[-1:], size - len(array), axis=0)])
        for name, array in batch.items()
    }


def sequences_of(graph: Graph) -> "Sequences | None":
    """How a model with fewer steps than its graph takes runs whole sequences."""
    from edgenn.frontend.stateful import Sequences

    step = step_of(lowered(graph, Form.STEP)) if STEPS_A_CALL in graph.metadata else None
    if step is None:
        return None
    return Sequences(graph.metadata[STEPS_A_CALL], step.inputs, step.outputs)


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
        batch = options.get("batch") or options.get("capture_batch")
        graph = compiler.graph_of(loaded, batch=batch)
        forms = {entry.recurrent and entry.recurrent.form for entry in converted.artifacts.values()}
        if forms == {Form.STEP}:
            graph = graph_of_sequences(loaded, graph, batch=batch)
        require_fit(graph, samples.inputs)
        return predictions(loaded, graph, samples)

    return predict
