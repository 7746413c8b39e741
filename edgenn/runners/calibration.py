"""Calibration in a child process: LiteRT runs the samples, statistics come back.

The child runs a copy of the float graph whose outputs are all its tensors: XNNPACK then
computes just what the float artifact computes. Only statistics cross the pipe, not activations,
and an engine that crashes ends the child alone.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np

from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.quantization.calibration import observed_tensors, require_usable
from edgenn.quantization.statistics import Statistics
from edgenn.runners.child import Child
from edgenn.runners.protocol import Message

TIME_LIMIT_S = 600.0
"""For each batch."""


def collect_statistics(
    graph: Graph,
    batches: Iterable[Mapping[str, Array]],
    write: Callable[[Graph], bytes],
    *,
    histogram: bool = False,
    means: Collection[str] = (),
    magnitudes: Collection[str] = (),
    rows: Collection[str] = (),
    products: Collection[str] = (),
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> dict[str, Statistics]:
    """Statistics of every float tensor over all batches; memory is that of one batch.

    Args:
        batches: Public input name → array, in the inputs' dtypes.
        write: The exporter: graph → bytes of a .tflite file.
        histogram: Whether the calibrator needs more than extremes.
        means: Tensors whose channels' means are wanted too.
        magnitudes: Tensors whose channels' magnitudes and mean squares are wanted too.
        rows: Tensors of which some rows are to be kept.
        products: Tensors of which the products of all pairs of channels are wanted.
        bounds: Tensor → limits; what lies outside is counted.

    Raises:
        DataError: No samples, or a tensor that became NaN or infinite.
        EngineError: The engine crashed or took too long.
    """
    names = observed_tensors(graph)
    inputs = list(graph.inputs.values())
    computed = [name for name in names if name not in inputs]
    whole = graph.with_(outputs={name: name for name in computed} or graph.outputs)
    job = Message(
        {
            "inputs": inputs,
            "outputs": list(whole.outputs.values()),
            "statistics": {
                name: {
                    "histogram": histogram,
                    "means": name in means,
                    "magnitudes": name in magnitudes,
                    "keep_rows": name in rows,
                    "products": name in products,
                    "bounds": (bounds or {}).get(name),
                }
                for name in names
            },
        },
        {"model": np.frombuffer(write(whole), np.uint8)},
    )
    with Child("edgenn.runners.calibration_worker", [], graph.name, TIME_LIMIT_S) as child:
        child.ask(job)
        count = 0
        for count, batch in enumerate(batches, 1):
            arrays = {name: batch[public] for public, name in graph.inputs.items()}
            child.ask(Message({"batch": count}, arrays))
        answer = child.ask(Message({"finished": True}))
    statistics = {
        name: Statistics.from_state(
            answer.values["states"][name],
            {key: answer.arrays[f"{name}\0{key}"] for key in Statistics.ARRAYS},
        )
        for name in names
    }
    require_usable(statistics, count)
    return statistics
