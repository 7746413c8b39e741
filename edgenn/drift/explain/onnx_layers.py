"""The total error of each layer of an ONNX file.

ONNX files hold the same model under the same names, but not as a graph that edgenn reads back:
what a layer adds by itself is not known, only what has gathered up to it.
"""

from collections.abc import Mapping
from math import nan, sqrt
from pathlib import Path

import numpy as np

from edgenn.drift.explain.explain import SAMPLES, spread
from edgenn.drift.explain.gathering import main_kinds
from edgenn.drift.explain.matching import computed, is_real
from edgenn.drift.explain.names import layers_of
from edgenn.drift.explain.reference import divided
from edgenn.drift.explain.report import LayerError
from edgenn.drift.explain.running import TIME_LIMIT_S, batch_size, written
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.progress import Progress, silent
from edgenn.runners.child import Child
from edgenn.runners.protocol import Message


def layers_of_onnx(
    path: Path,
    float_graph: Graph,
    inputs: Mapping[str, Array],
    *,
    factors: Mapping[str, Array] | None = None,
    samples: int = SAMPLES,
    progress: Progress = silent,
) -> tuple[LayerError, ...]:
    """Layers that the file has by name, in the model's order; all but ``total`` is NaN.

    Args:
        inputs: Public input name → samples ``(n, …)``.
        factors: Tensor → what its channels were divided by in the file.

    Raises:
        EngineError: The engine crashed or took too long.
    """
    graph = divided(float_graph, factors or {})
    given = set(graph.inputs.values())
    names = [n for n in computed(graph) if n not in given and is_real(graph.tensors[n])]
    whole = graph.with_(outputs={name: name for name in names})
    job = Message(
        {"inputs": list(whole.inputs), "outputs": names},
        {
            "float": np.frombuffer(written(whole), np.uint8),
            "onnx": np.frombuffer(path.read_bytes(), np.uint8),
        },
    )
    chosen = spread(inputs, samples)
    count, size = len(next(iter(chosen.values()))), batch_size(whole)
    with Child("edgenn.drift.explain.onnx_worker", [], path.name, TIME_LIMIT_S) as child:
        child.ask(job)
        for start in range(0, count, size):
            batch = {
                public: chosen[public][start : start + size].astype(graph.tensors[name].dtype)
                for public, name in graph.inputs.items()
            }
            child.ask(Message({}, batch))
            progress("explaining", min(start + size, count), count)
        sums = child.ask(Message({"finished": True})).values
    owner, kinds = layers_of(graph), main_kinds(graph, layers_of(graph))
    errors: dict[str, LayerError] = {}
    for name in names:
        if sums["sizes"].get(name, 0.0) > 0:
            total = sqrt(sums["errors"][name] / sums["sizes"][name])
            layer = owner[name]
            errors[layer] = LayerError(layer, kinds[layer], nan, nan, total, nan)
    return tuple(errors.values())
