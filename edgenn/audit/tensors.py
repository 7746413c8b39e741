"""What the tensors of the float model hold on the data, by running them as calibration does."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from edgenn.batches import batches
from edgenn.data import Dataset
from edgenn.ir.graph import Graph
from edgenn.ir.operator import FixedOutput, OutputRule
from edgenn.ir.tensor import Array
from edgenn.progress import Progress
from edgenn.quantization.assignment import Groups, group_range, is_real, shares_scale, ties
from edgenn.quantization.parameters import Range
from edgenn.quantization.statistics import Statistics
from edgenn.runners.calibration import collect_statistics

Write = Callable[[Graph], bytes]
"""The exporter: graph → bytes of a .tflite file."""
Seen = Mapping[str, Statistics]

SEED = 0
STEPS = 255
"""Of int8: what lies less than half a step outside of a range is rounded, not clipped."""


@dataclass(frozen=True)
class Tensors:
    """What ran.

    Attributes:
        halves: Tensor → statistics, for two halves of the calibration data; of a single sample
            there is one.
        ranges: Tensor → what integers can stand for, where calibration decides it.
        evaluation: Tensor → statistics on the evaluation data; what lies outside of ``ranges``
            is counted.
    """

    halves: tuple[Seen, ...]
    ranges: Mapping[str, Range]
    evaluation: Seen = field(default_factory=dict)


def run(
    graph: Graph,
    calibration: Dataset,
    evaluation: Dataset | None,
    write: Write,
    progress: Progress,
    *,
    magnitudes: Collection[str] = (),
) -> Tensors:
    """Runs every calibration sample once and every evaluation sample once.

    Args:
        magnitudes: Tensors whose channels' magnitudes are wanted.

    Raises:
        DataError: Samples that do not fit, or make a tensor NaN or infinite.
        EngineError: The engine crashed or took too long.
    """

    def seen(
        data: Dataset,
        stage: str,
        rows: Array | None = None,
        bounds: Mapping[str, Range] | None = None,
    ) -> dict[str, Statistics]:
        parts = batches(graph, data.inputs, progress, rows=rows, stage=stage)
        return collect_statistics(
            graph, parts, write, magnitudes=magnitudes, bounds=widened(bounds or {})
        )

    halves = tuple(seen(calibration, "calibrating", rows) for rows in two_halves(len(calibration)))
    ranges = calibrated_ranges(graph, halves)
    if evaluation is None:
        return Tensors(halves, ranges)
    return Tensors(halves, ranges, seen(evaluation, "evaluating", bounds=ranges))


def two_halves(count: int) -> list[Array]:
    """Indices of disjoint halves, each in ascending order: files are read from front to back."""
    order = np.random.default_rng(SEED).permutation(count)
    return [np.sort(half) for half in np.array_split(order, 2) if len(half)]


def widened(ranges: Mapping[str, Range]) -> dict[str, tuple[float, float]]:
    """With half a step on either side."""
    return {
        name: (r.low - (r.high - r.low) / (2 * STEPS), r.high + (r.high - r.low) / (2 * STEPS))
        for name, r in ranges.items()
    }


def calibrated_ranges(graph: Graph, halves: tuple[Seen, ...]) -> dict[str, Range]:
    """The range of each tensor whose values an op computes and calibration limits.

    Left out: what TFLite prescribes (softmax, logistic, tanh …), and what is only moved, whose
    values are those of its source. Tensors that share a scale share a range. 0 is part of all:
    integers stand for it exactly.
    """
    whole = {
        name: Range(min(half[name].low for half in halves), max(half[name].high for half in halves))
        for name in halves[0]
    }
    result: dict[str, Range] = {}
    for names in scale_groups(graph):
        sources = [name for name in names if is_source(graph, name)]
        seen = [name for name in sources if name in whole]
        own = [name for name in seen if not is_prescribed(graph, name)]
        if own:
            shared = group_range(graph, names, sources, whole).union(Range(0.0, 0.0))
            result.update(dict.fromkeys(own, shared))
    return {name: result[name] for name in whole if name in result}


def scale_groups(graph: Graph) -> list[list[str]]:
    """Real tensors by the scale that they share."""
    groups = Groups()
    for op in filter(shares_scale, graph.ops):
        for inputs, outputs in ties(graph, op):
            for name in (*inputs, *outputs):
                groups.join(outputs[0], name)
    members: dict[str, list[str]] = {}
    for name, tensor in graph.tensors.items():
        if is_real(tensor):
            members.setdefault(groups.find(name), []).append(name)
    return list(members.values())


def is_source(graph: Graph, name: str) -> bool:
    """Whether no op merely moves the values here."""
    op = graph.producers.get(name)
    return op is None or op.operator.output_rule is not OutputRule.SAME_AS_INPUT


def is_prescribed(graph: Graph, name: str) -> bool:
    op = graph.producers.get(name)
    return op is not None and isinstance(op.operator.output_rule, FixedOutput)
