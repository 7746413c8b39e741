"""Balances the channels of activations between two layers (cross-layer equalisation).

Dividing channel c of a layer's output by f and multiplying the next layer's weights for that
channel by f leaves the float model as it is, when what stands between is linear or a ReLU, yet
the channels then share one activation scale better (Nagel et al. 2019, arXiv 1906.04721, section
4.1). It costs the next layer precision in its weights, so the strength is chosen for each pair
of layers: the one with the least noise expected at the next layer's output, none at all included
(the trade-off of SmoothQuant, Xiao et al. 2022, arXiv 2211.10438).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, FullyConnected
from edgenn.ir.precision import is_kept
from edgenn.ir.tensor import Array, Tensor, along
from edgenn.quantization.parameters import WEIGHT_LIMIT

STRENGTHS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""0 leaves all as it is, 1 makes every channel's activations equally wide."""
LARGEST_FACTOR: Final = 16.0
ACTIVATION_STEPS: Final = 255
FACTORS: Final = "channel_factors"
"""Key of ``Graph.metadata``: tensor → what its channels were divided by, for whoever compares
it with the Keras layer's output."""


@dataclass(frozen=True)
class Channels:
    """What was seen of the channels (last axis) of one activation tensor.

    Attributes:
        magnitudes: Largest magnitude of each.
        mean_squares: Mean square of each.
    """

    magnitudes: Array
    mean_squares: Array


def equalize(graph: Graph, channels: Mapping[str, Channels]) -> Graph:
    """The same float model with balanced channels.

    Args:
        channels: Of each of ``balanced_tensors``.
    """
    tensors = dict(graph.tensors)
    scaled: dict[str, Array] = {}
    for op in graph.ops:
        name = op.outputs[0]
        consumers = graph.consumers[name]
        if not is_balanceable(graph, op, consumers):
            continue
        kernels = [input_kernel(tensors, consumer, channels[name]) for consumer in consumers]
        rounded = [not is_kept(graph, consumer) for consumer in consumers]
        factors = quietest_factors(channels[name], kernels, rounded)
        if (factors == 1).all():
            continue
        scaled[name] = factors
        scale_outputs(tensors, op, 1 / factors)
        for consumer in consumers:
            scale_inputs(tensors, consumer, factors)
    return graph.with_(tensors=tensors, metadata={**graph.metadata, FACTORS: scaled})


def quietest_factors(
    channels: Channels, kernels: list[Array], rounded: Sequence[bool] | None = None
) -> Array:
    """What to divide each channel by: of all strengths the one with the least expected noise.

    Args:
        rounded: Whether each consumer's weights become integers; all do by default.
    """
    rounded = rounded or [True] * len(kernels)
    widest = channels.magnitudes.max()
    if widest == 0:
        return np.ones_like(channels.magnitudes)
    share = np.where(channels.magnitudes > 0, channels.magnitudes / widest, 1.0)
    candidates = [np.maximum(share**strength, 1 / LARGEST_FACTOR) for strength in STRENGTHS]
    return min(candidates, key=lambda f: expected_noise(channels, kernels, rounded, f))


def expected_noise(
    channels: Channels, kernels: list[Array], rounded: Sequence[bool], factors: Array
) -> float:
    """Mean square of the rounding noise at the consumers' outputs, up to a constant.

    Rounding is taken as uniform noise of variance step² / 12: the activations' step follows from
    the widest channel, each output channel's weight step from its largest weight.

    Args:
        kernels: Of each consumer, ``(outputs, taps, channels)``; zero where an output does not
            read a channel.
        rounded: Whether each consumer's weights become integers.
    """
    activation_step = (channels.magnitudes / factors).max() / ACTIVATION_STEPS
    total = 0.0
    for kernel, has_integers in zip(kernels, rounded, strict=True):
        scaled = kernel * factors
        total += activation_step**2 * float(np.square(scaled).sum())
        if not has_integers:
            continue
        weight_steps = np.abs(scaled).max(axis=(1, 2)) / WEIGHT_LIMIT
        reads = (kernel != 0).any(axis=1)
        inputs = reads @ (channels.mean_squares / factors**2)
        total += kernel.shape[1] * float(np.square(weight_steps) @ inputs)
    return total


def input_kernel(tensors: Mapping[str, Tensor], op: Op, channels: Channels) -> Array:
    """The op's weights as ``(outputs, taps, input channels)``, with zeros for what is not read."""
    weights = tensors[op.inputs[1]].data
    assert weights is not None
    count = len(channels.magnitudes)
    groups = 1
    if isinstance(op.operator, DepthwiseConv2D):
        weights, groups = np.moveaxis(weights, 3, 0), count
    elif isinstance(op.operator, Conv2D):
        groups = op.operator.groups
    rows = weights.reshape(len(weights), -1, count // groups)
    if groups == 1:
        return rows
    kernel = np.zeros((len(rows), rows.shape[1], count), rows.dtype)
    for group, part in enumerate(np.split(np.arange(len(rows)), groups)):
        start = group * (count // groups)
        kernel[part, :, start : start + count // groups] = rows[part]
    return kernel


def balanced_tensors(graph: Graph) -> set[str]:
    """The activations whose channels can be balanced."""
    return {
        op.outputs[0]
        for op in graph.ops
        if is_balanceable(graph, op, graph.consumers[op.outputs[0]])
    }


def is_balanceable(graph: Graph, op: Op, consumers: list[Op]) -> bool:
    """Whether scaling the op's channels can be undone in all of its consumers."""
    weighted = (Conv2D, DepthwiseConv2D, FullyConnected)
    name = op.outputs[0]
    return (
        isinstance(op.operator, weighted)
        and op.operator.activation in (Activation.NONE, Activation.RELU)
        and not graph.is_output(name)
        and bool(consumers)
        and not all(is_kept(graph, each) for each in (op, *consumers))  # nothing is rounded
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
        assert weights.data is not None
        multiplier = weights.data.shape[3] // len(factors)
        multiply(tensors, weights.name, np.repeat(factors, multiplier), 3)
    elif isinstance(op.operator, Conv2D) and op.operator.groups > 1:
        multiply_grouped(tensors, weights, factors, op.operator.groups)
    else:
        multiply(tensors, weights.name, factors, weights.rank - 1)


def multiply(tensors: dict[str, Tensor], name: str, factors: Array, axis: int) -> None:
    tensor = tensors[name]
    assert tensor.data is not None
    data = tensor.data * along(factors, axis, tensor.rank)
    tensors[name] = tensor.with_(data=data.astype(np.float32))


def multiply_grouped(
    tensors: dict[str, Tensor], weights: Tensor, factors: Array, groups: int
) -> None:
    """Input channels of a grouped kernel ``(O, kh, kw, I / groups)``."""
    assert weights.data is not None
    parts = zip(np.split(weights.data, groups, 0), np.split(factors, groups), strict=True)
    data = np.concatenate([part * factor for part, factor in parts], axis=0)
    tensors[weights.name] = weights.with_(data=data.astype(np.float32))
