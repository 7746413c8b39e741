"""The int8 weights of ops that compute in float: what calibration tells about rounding them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import FullyConnected, Recurrent
from edgenn.ir.tensor import Array, Quantization, Tensor
from edgenn.quantization.compensation import rounded_with_compensation
from edgenn.quantization.parameters import weight_scales
from edgenn.quantization.weights import is_worth_it

MOST_INPUTS: Final = 1024
"""Columns up to which the products of all pairs of inputs are worth their memory."""
ROW_STEPS: Final = 255
"""Into which the kernels cut each row of x."""


@dataclass(frozen=True)
class Seen:
    """What calibration saw of the rows x that a matrix is multiplied with.

    Attributes:
        products: Mean of ``xᵀx``, ``(F, F)``.
        rows: Some of the rows, ``(N, F)``.
    """

    products: NDArray[np.float64]
    rows: Array


@dataclass(frozen=True)
class RoundedWeights:
    """The matrices of the float ops of a graph.

    Attributes:
        tensors: In int8, by name.
        coarse: Tensors that the kernels would round worse than the weights are.
    """

    tensors: Mapping[str, Tensor]
    coarse: frozenset[str]


def multiplied_tensors(graph: Graph, op: Op) -> dict[int, str]:
    """Index of each weight matrix of an op → the tensor whose rows it is multiplied with.

    The state that a recurrent kernel takes is the layer's output of the step before.
    """
    if isinstance(op.operator, FullyConnected):
        found = {1: op.inputs[0]}
    elif isinstance(op.operator, Recurrent):
        found = {1: op.inputs[0], 2: op.outputs[0]}
    else:
        return {}
    sizes = {index: graph.tensors[op.inputs[index]].shape[-1] or 0 for index in found}
    return {i: name for i, name in found.items() if 0 < sizes[i] <= MOST_INPUTS}


def rounded_weights(
    graph: Graph, floats: frozenset[str], seen: Mapping[str, Seen]
) -> RoundedWeights:
    """The weights of float ops, rounded with compensation.

    Args:
        seen: By the names of ``multiplied_tensors``.
    """
    tensors: dict[str, Tensor] = {}
    coarse: set[str] = set()
    for op in graph.ops:
        for index, name in multiplied_tensors(graph, op).items():
            weights = graph.tensors[op.inputs[index]]
            if op.name not in floats or weights.data is None or name not in seen:
                continue
            if not is_worth_it(weights.data, 0) or weights.name in tensors:
                continue
            tensors[weights.name] = rounded = compensated(weights, seen[name])
            # the state never leaves its loop, where it could be cut in parts
            if index == 1 and is_coarse(weights, rounded, seen[name]):
                coarse.add(name)
    return RoundedWeights(tensors, frozenset(coarse))


def compensated(weights: Tensor, seen: Seen) -> Tensor:
    """A matrix ``(O, F)`` in int8."""
    assert weights.data is not None
    scales = weight_scales(weights.data, 0, None, 1.0)
    integers = rounded_with_compensation(weights.data, scales, seen.products)
    return Tensor.constant(weights.name, integers, Quantization.per_channel(scales, 0))


def is_coarse(weights: Tensor, rounded: Tensor, seen: Seen) -> bool:
    """Whether rounding x adds more noise to the product than rounding the weights did.

    That of the weights is exact for the rows seen; that of x is uniform noise of variance
    step² / 12, where the step follows from each row's extremes.
    """
    assert weights.data is not None
    kernel = rounded.real().astype(np.float64)
    error = kernel - weights.data
    reach = np.maximum(seen.rows.max(axis=1), 0) - np.minimum(seen.rows.min(axis=1), 0)
    variance = float(np.square(reach / ROW_STEPS).mean()) / 12
    return variance * float(np.square(kernel).sum()) > float(
        np.sum((error @ seen.products) * error)
    )
