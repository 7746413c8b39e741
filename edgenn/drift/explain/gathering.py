"""Puts together what belongs to each layer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from edgenn.drift.explain.comparison import Comparison
from edgenn.drift.explain.constants import Pair, pairs
from edgenn.drift.explain.excess import Layer
from edgenn.drift.explain.matching import Match
from edgenn.drift.explain.names import layer_of, layers_of
from edgenn.drift.explain.running import Observed
from edgenn.drift.explain.sums import Grid, TensorSums
from edgenn.drift.explain.twin import Rounder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import OutputRule
from edgenn.ir.ops import Dequantize, Quantize, Reshape
from edgenn.ir.ops.scan import Scan
from edgenn.quantization.saturation import SATURATING

FILLED: Final = 0.1
"""Mean square of calibration data, as a share of their largest square."""


def layers(
    reference: Graph, artifact: Graph, found: Match, comparison: Comparison, observed: Observed
) -> list[Layer]:
    """The layers in the order of the float graph; inputs are layers, too."""
    owner = layers_of(reference)
    names = list(dict.fromkeys(owner[entry.name] for entry, _ in observed.tensors))
    holding = holding_tensors(artifact)
    own_grid = holding - moved_tensors(artifact)
    power = {
        entry.name: power_of(sums, Grid.of(artifact.tensors[entry.actual]))
        for entry, sums in observed.tensors
    }
    result = {name: Layer(name, "", [], [], [], holding, own_grid, power) for name in names}
    for entry, sums in observed.tensors:
        grid = Grid.of(artifact.tensors[entry.actual])
        result[owner[entry.name]].tensors.append((entry, sums, grid))
    for arithmetic, op_sums in observed.ops:
        layer = owner.get(found.meaning.get(arithmetic.actual, "")) or layer_of(
            arithmetic.actual, reference
        )
        dtype = artifact.tensors[arithmetic.actual].dtype
        if layer not in result:  # between two layers: whoever makes what it reads
            layer = names[0]
        result[layer].ops.append((arithmetic, op_sums, dtype))
    for pair in pairs(reference, Rounder(reference, artifact, found)):
        layer = layer_of_pair(pair, reference, owner)
        if layer in result:
            result[layer].constants.append(pair)
    kinds = main_kinds(reference, owner)
    return [replace(layer, kind=kinds.get(name, "input")) for name, layer in result.items()]


def power_of(sums: TensorSums, grid: Grid) -> float:
    """Mean square of a tensor over the samples; what its grid says where they are far smaller.

    Biases are corrected for the calibration data, which filled the grid: all-zero samples do not
    show how large those were.
    """
    seen = float(sums["free²"].mean()) / max(sums.count, 1)
    return max(seen, FILLED * max(map(abs, grid.limits)) ** 2) if grid.is_integer else seen


def layer_of_pair(pair: Pair, reference: Graph, owner: Mapping[str, str]) -> str:
    output = pair.op.outputs[0]
    return owner[output] if output in owner else layer_of(output, reference)


def main_kinds(reference: Graph, owner: Mapping[str, str]) -> dict[str, str]:
    """Layer → the kind of the op with the most multiplications, else of the last one."""
    best: dict[str, tuple[int, str]] = {}
    for op in reference.ops:
        layer = owner[op.outputs[0]]
        macs = op.operator.macs(reference.operands(op), reference.results(op))
        if layer not in best or macs >= best[layer][0]:
            best[layer] = (macs, op.kind)
    return {layer: kind for layer, (_, kind) in best.items()}


def holding_tensors(artifact: Graph) -> frozenset[str]:
    """Tensors whose grid should hold all that they are.

    Not those with prescribed grids, and those that only a saturating function reads.
    """
    result = set(artifact.inputs.values())
    for op in artifact.ops:
        if isinstance(op.operator.output_rule, OutputRule) and not isinstance(op.operator, Scan):
            result.update(op.outputs)
    for op in artifact.ops:
        if isinstance(op.operator, SATURATING):
            result.difference_update(sources(artifact, op.inputs[0]))
    return frozenset(result)


def sources(artifact: Graph, name: str) -> list[str]:
    """The tensor, and what it is another representation of, as long as nobody else reads it."""
    found: list[str] = []
    while len(artifact.consumers[name]) == 1:
        found.append(name)
        producer = artifact.producers.get(name)
        if producer is None or not is_copy(producer):
            break
        name = producer.inputs[0]
    return found


def is_copy(op: Op) -> bool:
    return isinstance(op.operator, Dequantize | Quantize | Reshape)


def moved_tensors(artifact: Graph) -> frozenset[str]:
    """Tensors that share a grid with others, because an op moves values from one to the other."""
    return frozenset(
        name
        for op in artifact.ops
        if op.operator.output_rule is OutputRule.SAME_AS_INPUT
        for name in (*op.inputs, *op.outputs)
    )
