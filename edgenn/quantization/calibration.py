"""What calibration has to see of a graph, and the ranges that follow."""

from collections.abc import Mapping

import numpy as np

from edgenn.errors import DataError
from edgenn.ir.flat_loops import LoopEnd
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Recurrent
from edgenn.ir.tensor import INTEGER_RANGES
from edgenn.quantization.assignment import TensorFormats
from edgenn.quantization.calibrators import Calibrator
from edgenn.quantization.parameters import Range
from edgenn.quantization.saturation import saturated_ranges
from edgenn.quantization.statistics import Statistics


def observed_tensors(graph: Graph) -> list[str]:
    """Names of the tensors that calibration must see: float, computed, and of use to somebody.

    Of a recurrent layer all steps are seen, even if only the last one is used.
    """
    border = {*graph.inputs.values(), *graph.outputs.values(), *sequences(graph)}
    return [
        name
        for name, tensor in graph.tensors.items()
        if tensor.dtype == "float32"
        and not tensor.is_constant
        and (graph.consumers[name] or name in border)
    ]


def sequences(graph: Graph) -> dict[str, str]:
    """The sequence of each recurrent layer → its last step, which is a tensor of its own."""
    recurrent = [op for op in graph.ops if isinstance(op.operator, Recurrent)]
    return {op.outputs[0]: op.outputs[1] for op in recurrent}


def final_states(graph: Graph) -> dict[str, str]:
    """The state after each step of a loop that is laid flat → the one after the last step."""
    ends = [(op, op.operator) for op in graph.ops if isinstance(op.operator, LoopEnd)]
    return {op.inputs[index]: op.outputs[index] for op, end in ends for index in range(end.states)}


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
    user gives and gets, and photos of 0–255 are exact in int8 only unclipped. The last step of a
    recurrent layer has the range of all steps: other data may bring it to what any of them held.
    """
    border = {*graph.inputs.values(), *graph.outputs.values()}
    chosen = {
        name: entry.range
        if name in border
        else calibrator.choose(entry, steps(formats(name).activation))
        for name, entry in statistics.items()
    }
    for steps_of, last in [*sequences(graph).items(), *final_states(graph).items()]:
        if last in chosen and steps_of in chosen:
            chosen[last] = chosen[last].union(chosen[steps_of])
    unread = dict.fromkeys(
        (name for op in graph.ops for name in op.outputs if name not in chosen), Range(0.0, 0.0)
    )
    return {**unread, **chosen, **saturated_ranges(graph, statistics, formats)}


def steps(dtype: str) -> int:
    """How many steps the integers of a dtype have."""
    low, high = INTEGER_RANGES[dtype]
    return high - low
