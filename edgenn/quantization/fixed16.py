"""The scheme ``fixed16``: 16-bit fixed point, each tensor's point where its range wants it."""

from collections.abc import Mapping

from edgenn.ir.fixed_format import FixedFormat, with_formats
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Lstm
from edgenn.quantization.calibration import final_states
from edgenn.quantization.parameters import Range
from edgenn.quantization.statistics import Statistics


def with_fixed_formats(graph: Graph, flat: Graph, statistics: Mapping[str, Statistics]) -> Graph:
    """The float graph with a format for each tensor that calibration saw.

    Args:
        flat: The same graph with its recurrent layers as loops laid flat: what was calibrated.
        statistics: Of the flat graph's tensors.
    """
    seen = {name: entry.range for name, entry in statistics.items()}
    for each_step, last in final_states(flat).items():
        if each_step in seen:
            seen[last] = seen[each_step].union(seen.get(last, seen[each_step]))
    for op in graph.ops:
        if isinstance(op.operator, Lstm):
            seen.update(dict.fromkeys(op.outputs, state_range(op.outputs, seen)))
    known = {name: entry for name, entry in seen.items() if name in graph.tensors}
    return with_formats(
        graph, {name: FixedFormat.covering(r.low, r.high) for name, r in known.items()}
    )


def state_range(outputs: tuple[str, ...], seen: Mapping[str, Range]) -> Range:
    """Of an LSTM's outputs and cell: hls4ml holds both in one type."""
    found = [seen[name] for name in outputs if name in seen]
    return Range(min(r.low for r in found), max(r.high for r in found))
