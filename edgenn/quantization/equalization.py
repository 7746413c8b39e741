"""Balances the channels of activations between two layers (cross-layer equalisation).

Scaling channel c of a layer's weights by 1/s and the next layer's weights for that channel by
s leaves the float model as it is, when what stands between is linear or a ReLU, yet all
channels then share one activation scale well (Nagel et al. 2019, arXiv 1906.04721, section
4.1; the weighting by activations as in SmoothQuant, Xiao et al. 2022, arXiv 2211.10438).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, FullyConnected
from edgenn.ir.tensor import Array, Tensor

STRENGTH: Final = 0.5
"""0 leaves all as it is, 1 makes every channel's activations equally wide."""
LARGEST_FACTOR: Final = 16.0
FACTORS: Final = "channel_factors"
"""Key of ``Graph.metadata``: tensor → what its channels were divided by, for whoever compares
it with the Keras layer's output."""


def equalize(graph: Graph, channel_maxima: Mapping[str, Array]) -> Graph:
    """The same float model with balanced channels.

    Args:
        channel_maxima: Largest magnitude of each channel (last axis) of the activations.
    """
    tensors = dict(graph.tensors)
    scaled: dict[str, Array] = {}
    for op in graph.ops:
        consumers = graph.consumers[op.outputs[0]]
        if not is_balanceable(graph, op, consumers):
            continue
        maxima = channel_maxima[op.outputs[0]].astype(np.float64)
        factors = channel_factors(maxima)
        scaled[op.outputs[0]] = factors
        scale_outputs(tensors, op, 1 / factors)
        for consumer in consumers:
            scale_inputs(tensors, consumer, factors)
    return graph.with_(tensors=tensors, metadata={**graph.metadata, FACTORS: scaled})


def balanced_tensors(graph: Graph) -> set[str]:
    """The activations whose channels can be balanced."""
    return {
        op.outputs[0]
        for op in graph.ops
        if is_balanceable(graph, op, graph.consumers[op.outputs[0]])
    }


def channel_factors(maxima: Array) -> Array:
    """By how much each channel is divided; 1 for the widest and for dead ones."""
    widest = maxima.max()
    if widest == 0:
        return np.ones_like(maxima)
    share = np.where(maxima > 0, maxima / widest, 1.0)
    return np.maximum(share**STRENGTH, 1 / LARGEST_FACTOR)


def is_balanceable(graph: Graph, op: Op, consumers: list[Op]) -> bool:
    """Whether scaling the op's channels can be undone in all of its consumers."""
    weighted = (Conv2D, DepthwiseConv2D, FullyConnected)
    name = op.outputs[0]
    return (
        isinstance(op.operator, weighted)
        and op.operator.activation in (Activation.NONE, Activation.RELU)
        and not graph.is_output(name)
        and bool(consumers)
        and owns_weights(graph, op)
        and all(
            isinstance(consumer.operator, weighted)
            and consumer.inputs.count(name) == 1
            and consumer.inputs[0] == name
            and owns_weights(graph, consumer)
            for consumer in consumers
        )
    )


def owns_weights(graph: Graph, op: Op) -> bool:
    """Whether kernel and bias are constants that no other op reads."""
    return all(
        graph.tensors[name].is_constant and len(graph.consumers[name]) == 1
        for name in op.inputs[1:]
    )


def scale_outputs(tensors: dict[str, Tensor], op: Op, factors: Array) -> None:
    """Multiplies each output channel of the op."""
    (axis,) = op.operator.weight_axes.values()
    multiply(tensors, op.inputs[1], factors, axis)
    for name in op.inputs[2:]:
        multiply(tensors, name, factors, 0)


def scale_inputs(tensors: dict[str, Tensor], op: Op, factors: Array) -> None:
    """Multiplies the weights that read each input channel."""
    weights = tensors[op.inputs[1]]
    if isinstance(op.operator, DepthwiseConv2D):
        multiplier = weights.shape[3] // len(factors)  # type: ignore[operator]
        multiply(tensors, weights.name, np.repeat(factors, multiplier), 3)
    elif isinstance(op.operator, Conv2D) and op.operator.groups > 1:
        multiply_grouped(tensors, weights, factors, op.operator.groups)
    else:
        multiply(tensors, weights.name, factors, weights.rank - 1)


def multiply(tensors: dict[str, Tensor], name: str, factors: Array, axis: int) -> None:
    tensor = tensors[name]
    assert tensor.data is not None
    shape = [1] * tensor.rank
    shape[axis] = -1
    tensors[name] = tensor.with_(data=(tensor.data * factors.reshape(shape)).astype(np.float32))


def multiply_grouped(
    tensors: dict[str, Tensor], weights: Tensor, factors: Array, groups: int
) -> None:
    """Input channels of a grouped kernel ``(O, kh, kw, I / groups)``."""
    assert weights.data is not None
    parts = zip(np.split(weights.data, groups, 0), np.split(factors, groups), strict=True)
    data = np.concatenate([part * factor for part, factor in parts], axis=0)
    tensors[weights.name] = weights.with_(data=data.astype(np.float32))
