"""Runs calibration samples through the float graph and chooses a range for every tensor."""

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np

from edgenn.errors import DataError
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import INTEGER_RANGES, Array
from edgenn.quantization.calibrators import Calibrator
from edgenn.quantization.parameters import Range
from edgenn.quantization.statistics import Statistics

Observe = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""One batch (public input name → array) to the values of every float tensor by name."""


def observed_tensors(graph: Graph) -> list[str]:
    """Names of the tensors that calibration must see: float and computed."""
    return [
        name
        for name, tensor in graph.tensors.items()
        if tensor.dtype == "float32" and not tensor.is_constant
    ]


def collect(
    graph: Graph,
    batches: Iterable[Mapping[str, Array]],
    observe: Observe,
    *,
    histogram: bool = False,
    means: Collection[str] = (),
    magnitudes: Collection[str] = (),
) -> dict[str, Statistics]:
    """Statistics of every float tensor over all batches; memory is that of one batch.

    Args:
        batches: Public input name → array, in the inputs' dtypes.
        histogram: Whether the calibrator needs more than extremes.
        means: Tensors whose channels' means are wanted too.
        magnitudes: Tensors whose channels' largest magnitudes are wanted too.

    Raises:
        DataError: No samples, or a tensor that became NaN or infinite.
    """
    statistics = {
        name: Statistics(histogram=histogram, means=name in means, magnitudes=name in magnitudes)
        for name in observed_tensors(graph)
    }
    count = 0
    for batch in batches:
        count += 1
        take_in(statistics, observe(batch))
    if count == 0:
        raise DataError("the calibration data hold no samples")
    for name, entry in statistics.items():
        if not np.isfinite([entry.low, entry.high]).all():
            raise DataError(
                f"calibration made {name!r} infinite or NaN",
                "check the scaling of the calibration data",
            )
    return statistics


def take_in(statistics: Mapping[str, Statistics], values: Mapping[str, Array]) -> None:
    """Updates every tensor's statistics.

    A function of its own so that no reference to ``values`` outlives it: an engine may not run
    again while somebody holds views into its memory.
    """
    for name, entry in statistics.items():
        entry.update(values[name])


def choose_ranges(
    graph: Graph, statistics: Mapping[str, Statistics], calibrator: Calibrator, dtype: str
) -> dict[str, Range]:
    """The range of each tensor for integers of ``dtype``.

    Inputs and outputs of the graph keep all that was seen: clipping them would change what the
    user gives and gets, and photos of 0–255 are exact in int8 only unclipped.
    """
    low, high = INTEGER_RANGES[dtype]
    border = {*graph.inputs.values(), *graph.outputs.values()}
    return {
        name: entry.range if name in border else calibrator.choose(entry, high - low)
        for name, entry in statistics.items()
    }
