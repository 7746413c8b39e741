"""What Keras says: predictions kept in a bundle, or made when they are needed.

Whoever finds what is kept needs no compiler: it is imported with the model.
"""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgenn import bundle
from edgenn.bundle import Bundle
from edgenn.data import Dataset, load
from edgenn.drift.truth import Sink
from edgenn.errors import UsageError
from edgenn.manifest import Reference
from edgenn.runtime.tensor_info import Array

if TYPE_CHECKING:
    from edgenn.frontend.stateful import Sequences
    from edgenn.ir.graph import Graph

PREDICTED = 32
"""Samples that Keras predicts at once."""


def keep_reference(
    model: Any, graph: "Graph", reference: Any, files: dict[str, bytes]
) -> Reference:
    """Adds the Keras predictions on ``reference`` to the bundle's files."""
    from edgenn.batches import require_fit

    samples = load(reference, list(graph.inputs), split="test")
    require_fit(graph, samples.inputs)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **predictions(model, graph, samples))
    content = buffer.getvalue()
    files[bundle.REFERENCE] = content
    return Reference(bundle.REFERENCE, hashlib.sha256(content).hexdigest(), samples.sha256)


def predictions(model: Any, graph: "Graph", samples: Dataset) -> dict[str, Array]:
    """Keras's outputs by public name, of all samples."""
    parts = list(predicted_parts(model, graph, samples))
    return {name: np.concatenate([part[name] for part in parts]) for name in graph.outputs}


def predicted_parts(model: Any, graph: "Graph", samples: Dataset) -> Iterator[dict[str, Array]]:
    """Keras's outputs by public name, batch by batch; each from states of zero."""
    from edgenn.frontend.prediction import predict_batches

    fixed = next((tensor.shape[0] for tensor in graph.input_tensors() if tensor.shape), None)
    size = fixed or PREDICTED
    batches = (filled(batch, size) if fixed else batch for batch in samples.batches(size))
    names = list(graph.inputs), list(graph.outputs)
    done = 0
    for part in predict_batches(model, *names, batches, sequences_of(graph)):
        yield {name: array[: len(samples) - done] for name, array in part.items()}
        done += size


def filled(batch: dict[str, Array], size: int) -> dict[str, Array]:
    """The batch with its last sample again until there are ``size``."""
    return {
        name: np.concatenate([array, np.repeat(array[-1:], size - len(array), axis=0)])
        for name, array in batch.items()
    }


def sequences_of(graph: "Graph") -> "Sequences | None":
    """How a model with fewer steps than its graph takes runs whole sequences."""
    from edgenn.frontend.stateful import Sequences
    from edgenn.ir.stepping import step_of
    from edgenn.lowering.recurrent.forms import Form, lowered
    from edgenn.sequences import STEPS_A_CALL

    step = step_of(lowered(graph, Form.STEP)) if STEPS_A_CALL in graph.metadata else None
    if step is None:
        return None
    return Sequences(graph.metadata[STEPS_A_CALL], step.inputs, step.outputs)


class KerasTruth:
    """The Keras model of a bundle; it is loaded when something is asked of it.

    Args:
        model: A Keras model or the path of one.
    """

    def __init__(self, converted: Bundle, model: Any) -> None:
        self._converted = converted
        self._model = model
        self._loaded: tuple[Any, Graph] | None = None

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None

    def graph(self) -> "Graph":
        """The model in float, as it was captured for the conversion.

        Raises:
            ModelFileError: The model cannot be read.
            UnsupportedError: A layer that cannot be converted.
        """
        return self._load()[1]

    def predict(self, data: Dataset, sink: Sink) -> None:
        """Hands on the predictions of all samples.

        Raises:
            DataError: Samples that do not fit.
            ModelFileError: The model cannot be read.
        """
        from edgenn.batches import require_fit

        model, graph = self._load()
        require_fit(graph, data.inputs)
        for part in predicted_parts(model, graph, data):
            sink(part)

    def _load(self) -> tuple[Any, "Graph"]:
        if self._loaded is None:
            from edgenn import compiler
            from edgenn.sequences import graph_of_sequences
            from edgenn.source import load_source

            options = self._converted.manifest.options
            unsafe, custom = bool(options.get("unsafe")), options.get("custom")
            model, _ = load_source(self._model, unsafe=unsafe, custom=custom)
            batch = options.get("batch") or options.get("capture_batch")
            graph = compiler.graph_of(model, batch=batch)
            if self._runs_steps():
                graph = graph_of_sequences(model, graph, batch=batch)
            self._loaded = model, graph
        return self._loaded

    def _runs_steps(self) -> bool:
        from edgenn.lowering.recurrent.forms import Form

        entries = self._converted.manifest.artifacts
        return {entry.recurrent and entry.recurrent.form for entry in entries} == {Form.STEP}


def source_of_truth(converted: Bundle, model: Any) -> KerasTruth | None:
    """The bundle's Keras model: the given one, else the file that it came from.

    Raises:
        UsageError: The file has changed since.
    """
    if model is not None:
        return KerasTruth(converted, model)
    source = converted.manifest.source
    path = Path(source.path)
    if source.format == "python" or not path.exists():
        return None
    if bundle.sha256_of_source(path) != source.sha256:
        raise UsageError(
            f"{path} is not the model that was converted: it has changed since",
            "convert it again, or give the right one with --model",
        )
    return KerasTruth(converted, path)
