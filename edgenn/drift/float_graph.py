"""The first rung: the model as edgenn captured it, evaluated in NumPy."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from edgenn.data import Dataset
from edgenn.drift.outputs import OutputStore
from edgenn.drift.report import FLOAT_GRAPH, Rung
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.runtime.tensor_info import Array

MOST_MACS: Final = 2_000_000_000
"""Multiply-accumulates that this rung may take; of large models it sees fewer samples."""
BATCH: Final = 32


def run_float_graph(graph: Graph, data: Dataset, outputs: OutputStore) -> Rung:
    """Evaluates the graph on the samples, or on the first ones where it is large."""
    fixed = next((tensor.shape[0] for tensor in graph.input_tensors() if tensor.shape), None)
    count = max(1, min(len(data), MOST_MACS // max(1, graph.macs())))
    size = fixed or BATCH
    for start in range(0, count, size):
        rows = min(start + size, count) - start
        batch = {
            public: filled(np.asarray(data.inputs[public][start : start + rows]), fixed)
            for public in graph.inputs
        }
        outputs.append(results(graph, batch, rows))
    return Rung(
        "",
        "float32",
        FLOAT_GRAPH,
        "numpy",
        f"numpy {np.__version__}",
        metrics={},
        time="none",
        samples=count,
    )


def results(graph: Graph, batch: Mapping[str, Array], rows: int) -> dict[str, Array]:
    """Public output name → the first rows."""
    given = {
        public: batch[public].astype(graph.tensors[name].dtype, copy=False)
        for public, name in graph.inputs.items()
    }
    with np.errstate(all="ignore"):  # numbers that overflow show in the comparison
        values = evaluate(graph, given, keep=set(graph.outputs.values()))
    return {public: values[name][:rows] for public, name in graph.outputs.items()}


def filled(array: Array, size: int | None) -> Array:
    """The batch with its last sample again until there are ``size``."""
    if size is None or len(array) == size:
        return array
    return np.concatenate([array, np.repeat(array[-1:], size - len(array), axis=0)])
