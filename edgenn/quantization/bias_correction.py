"""Takes the mean error of rounded weights out of each layer's bias.

Rounding moves the weights by ΔW, and so the layer's mean output by ΔW · E[x]; subtracting that
from the bias restores the mean (Nagel et al. 2019, arXiv 1906.04721, section 4.2). E[x] is the
mean of each input channel over the calibration data.
"""

from collections.abc import Mapping

import numpy as np

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, FullyConnected
from edgenn.ir.tensor import Array, Tensor, along
from edgenn.quantization.parameters import quantize_weights, weight_scales


def correct_bias(
    graph: Graph,
    channel_means: Mapping[str, Array],
    floats: frozenset[str] = frozenset(),
    rounded: Mapping[str, Tensor] | None = None,
) -> Graph:
    """The float graph with biases that undo what int8 weights will shift.

    Args:
        channel_means: Mean of each channel (last axis) of the tensors that feed weights.
        floats: Names of the ops that compute in float.
        rounded: Their weights in int8; those that are not there stay as they are.
    """
    builder = GraphBuilder.from_graph(graph)
    for op in graph.ops:
        known = rounded or {} if op.name in floats else None
        shift = mean_shift(graph, op, channel_means, known)
        builder.ops.append(op if shift is None else with_bias(builder, op, -shift))
    return builder.finish(graph.outputs).with_(metadata=graph.metadata)


def weighted_inputs(graph: Graph) -> set[str]:
    """The tensors whose channel means are needed."""
    return {
        op.inputs[0]
        for op in graph.ops
        if type(op.operator) in MEAN_OUTPUT and not graph.tensors[op.inputs[0]].is_constant
    }


def mean_shift(
    graph: Graph,
    op: Op,
    channel_means: Mapping[str, Array],
    known: Mapping[str, Tensor] | None,
) -> Array | None:
    """How far rounding the weights moves the mean of each output channel.

    Args:
        known: Where the weights are not rounded one by one: what comes of them, by name.
    """
    if type(op.operator) not in MEAN_OUTPUT:
        return None
    mean = channel_means.get(op.inputs[0])
    weights = graph.tensors[op.inputs[1]].data if len(op.inputs) > 1 else None
    if mean is None or weights is None:
        return None
    if known is None:
        (axis,) = op.operator.weight_axes.values()
        scales = weight_scales(weights, axis, None, 1.0)
        rounded = quantize_weights(weights, scales, axis) * along(scales, axis, weights.ndim)
    elif op.inputs[1] in known:
        rounded = known[op.inputs[1]].real()
    else:
        return None
    return MEAN_OUTPUT[type(op.operator)](op.operator, rounded - weights, mean)


def with_bias(builder: GraphBuilder, op: Op, change: Array) -> Op:
    """The op with ``change`` added to its bias, in a constant of its own."""
    index = op.operator.bias_input
    assert index is not None
    if len(op.inputs) > index:
        old = builder.tensors[op.inputs[index]]
        assert old.data is not None
        name, data = old.name, old.data
    else:
        name, data = f"{op.name}/bias", np.zeros_like(change)
    fresh = builder.unique(f"{name}/corrected")
    builder.tensors[fresh] = Tensor.constant(fresh, (data + change).astype(np.float32))
    return Op(op.name, op.operator, (*op.inputs[:index], fresh), op.outputs)


def convolution_mean(operator: Operator, weights: Array, mean: Array) -> Array:
    """Mean output of a convolution whose input is ``mean`` everywhere."""
    assert isinstance(operator, Conv2D)
    taps = weights.sum(axis=(1, 2), dtype=np.float64)
    inputs = mean.reshape(operator.groups, -1)
    grouped = taps.reshape(operator.groups, -1, taps.shape[1])
    return np.asarray(np.einsum("goi,gi->go", grouped, inputs).reshape(-1))


def depthwise_mean(operator: Operator, weights: Array, mean: Array) -> Array:
    """Mean output of a depthwise convolution whose input is ``mean`` everywhere."""
    taps = weights.sum(axis=(0, 1, 2), dtype=np.float64)
    return np.asarray(taps * np.repeat(mean, len(taps) // len(mean)))


def dense_mean(operator: Operator, weights: Array, mean: Array) -> Array:
    """Mean output of a dense layer."""
    return np.asarray(weights.astype(np.float64) @ mean)


MEAN_OUTPUT = {
    Conv2D: convolution_mean,
    DepthwiseConv2D: depthwise_mean,
    FullyConnected: dense_mean,
}
