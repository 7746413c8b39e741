"""The int8 weights of ops that compute in float: what calibration tells about rounding them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import FullyConnected, Recurrent
from edgenn.ir.precision import is_kept
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.quantization.compensation import rounded_with_compensation
from edgenn.quantization.parameters import quantize_weights, weight_scales
from edgenn.quantization.statistics import Statistics
from edgenn.quantization.weights import is_worth_it, shared_otherwise

MOST_INPUTS: Final = 1024
"""Columns up to which the products of all pairs of inputs are worth their memory."""
FEWEST_ROWS: Final = 8
"""Rows in each half of the data below which it proves nothing."""
ROW_STEPS: Final = 255
"""Into which the kernels cut each row of x."""


@dataclass(frozen=True)
class RoundedWeights:
    """The matrices of the float ops of a graph.

    Attributes:
        tensors: In int8, by name.
        coarse: Tensors that the kernels would round worse than the weights are.
    """

    tensors: Mapping[str, Tensor]
    coarse: frozenset[str]


NO_WEIGHTS: Final = RoundedWeights({}, frozenset())


def multiplied_tensors(graph: Graph, op: Op) -> dict[int, str]:
    """Index of each weight matrix of an op → the tensor whose rows it is multiplied with.

    The state that a recurrent kernel takes is the layer's output of the step before.
    """
    if isinstance(op.operator, FullyConnected):
        return {1: op.inputs[0]}
    if isinstance(op.operator, Recurrent):
        return {1: op.inputs[0], 2: op.outputs[0]}
    return {}


def float_inputs(graph: Graph, floats: frozenset[str]) -> set[str]:
    """The tensors of which calibration should see how their channels go together."""
    return {
        name
        for op in graph.ops
        if op.name in floats and not is_kept(graph, op)
        for name in multiplied_tensors(graph, op).values()
        if 0 < (graph.tensors[name].shape[-1] or 0) <= MOST_INPUTS
    }


def rounded_weights(
    graph: Graph, floats: frozenset[str], seen: Mapping[str, Statistics]
) -> RoundedWeights:
    """The weights of float ops: rounded with compensation, or each by itself if too wide for it.

    Args:
        seen: Of the ``float_inputs``, with products and rows.
    """
    tensors: dict[str, Tensor] = {}
    coarse: set[str] = set()
    for name, inputs in float_matrices(graph, floats).items():
        weights = graph.tensors[name]
        known = {x: seen[x] for x in inputs if x in seen}
        tensors[name] = rounded = rounded_tensor(weights, list(known.values()))
        # a state never leaves its loop, where it could be cut in parts
        coarse.update(
            x for x, s in known.items() if not inputs[x] and is_coarse(weights, rounded, s)
        )
    return RoundedWeights(tensors, frozenset(coarse))


def float_matrices(graph: Graph, floats: frozenset[str]) -> dict[str, dict[str, bool]]:
    """Each matrix that float ops multiply with → the tensors it is multiplied with.

    Those are with whether they are only states.
    """
    result: dict[str, dict[str, bool]] = {}
    for op in graph.ops:
        if op.name not in floats or is_kept(graph, op):
            continue
        for index, x in multiplied_tensors(graph, op).items():
            weights = graph.tensors[op.inputs[index]]
            if weights.data is None or shared_otherwise(graph, op, index):
                continue
            if is_worth_it(weights.data, 0):
                inputs = result.setdefault(weights.name, {})
                inputs[x] = inputs.get(x, True) and index != 1
    return result


def rounded_tensor(weights: Tensor, seen: Sequence[Statistics]) -> Tensor:
    """A matrix ``(O, F)`` in int8, for all that it is multiplied with."""
    assert weights.data is not None
    scales = weight_scales(weights.data, 0, None, 1.0)
    seen = [entry for entry in seen if entry.product_rows.min() >= FEWEST_ROWS]
    if seen:
        products = np.mean([entry.mean_products for entry in seen], axis=0)
        halves = np.mean([entry.half_products for entry in seen], axis=0)
        integers = rounded_with_compensation(weights.data, scales, products, halves)
    else:
        integers = quantize_weights(weights.data, scales, 0)
    return Tensor.constant(weights.name, integers, Quantization.per_channel(scales, 0))


def is_coarse(weights: Tensor, rounded: Tensor, seen: Statistics) -> bool:
    """Whether rounding x adds more noise to the product than rounding the weights did.

    That of the weights is exact for the rows seen; that of x is uniform noise of variance
    step² / 12, where the step follows from each row's extremes.
    """
    assert weights.data is not None
    kernel = rounded.real().astype(np.float64)
    error = kernel - weights.data
    rows = seen.kept_rows
    reach = np.maximum(rows.max(axis=1), 0) - np.minimum(rows.min(axis=1), 0)
    variance = float(np.square(reach / ROW_STEPS).mean()) / 12
    return variance * float(np.square(kernel).sum()) > float(
        np.sum((error @ seen.mean_products) * error)
    )
