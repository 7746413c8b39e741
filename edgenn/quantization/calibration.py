"""What calibration has to see of a graph, and the ranges that follow."""

from collections.abc import Mapping

import numpy as np

from edgenn.errors import DataError
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import INTEGER_RANGES
from edgenn.quantization.assignment import TensorFormats
from edgenn.quantization.calibrators import Calibrator
from edgenn.quantization.parameters import Range
from edgenn.quantization.saturation import saturated_ranges
from edgenn.quantization.statistics import Statistics


def observed_tensors(graph: Graph) -> list[str]:
    """Names of the tensors that calibration must see: float, computed, and of use to somebody."""
    border = {*graph.inputs.values(), *graph.outputs.values()}
    return [
        name
        for name, tensor in graph.tensors.items()
        if tensor.dtype == "float32"
        and not tensor.is_constant
        and (graph.consumers[name] or name in border)
    ]


def require_usable(statistics: Mapping[str, Statistics], batches: int) -> None:
    """Raises DataError where nothing was seen, or something that is no number."""
    if batches == 0:
        raise DataError("the calibration data hold no samples")
    for name, entry in statistics.items():
        if not np.isfinite([entry.low, entry.high]).all():
            raise DataError(
                f"calibration made {name!r} infinite or NaN",
                "check the scaling of the calibration data",
            )


def choose_ranges(
    graph: Graph,
    statistics: Mapping[str, Statistics],
    calibrator: Calibrator,
    formats: TensorFormats,
) -> dict[str, Range]:
    """The range of each tensor for the integers of its format.

    What flows into a saturating function is judged by what comes out (``saturation``).

    Inputs and outputs of the graph keep all that was seen: clipping them would change what the
    user gives and gets, and photos of 0–255 are exact in int8 only unclipped.
    """
    border = {*graph.inputs.values(), *graph.outputs.values()}
    chosen = {
        name: entry.range
        if name in border
        else calibrator.choose(entry, steps(formats(name).activation))
        for name, entry in statistics.items()
    }
    unread = dict.fromkeys(
        (name for op in graph.ops for name in op.outputs if name not in chosen), Range(0.0, 0.0)
    )
    return {**unread, **chosen, **saturated_ranges(graph, statistics, formats)}


def steps(dtype: str) -> int:
    """How many steps the integers of a dtype have."""
    low, high = INTEGER_RANGES[dtype]
    return high - low
