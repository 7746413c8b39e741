"""The ops with weights: how an affine map around them moves into kernel and bias."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, FullyConnected, TransposeConv2D
from edgenn.ir.tensor import Array
from edgenn.passes.affine import Affine
from edgenn.passes.rewriter import Rewriter

Weighted = Conv2D | DepthwiseConv2D | TransposeConv2D | FullyConnected


def has_constant_weights(op: Op, graph: Rewriter) -> bool:
    """Whether the op has a float32 kernel, and a bias if any, that can be rewritten."""
    values = [graph.value(name) for name in op.inputs[1:]]
    return isinstance(op.operator, Weighted) and all(
        value is not None and value.dtype == np.float32 for value in values
    )


def bias_of(op: Op, graph: Rewriter) -> NDArray[np.float64]:
    """The bias in float64; zero if there is none."""
    bias = graph.value(op.inputs[2]) if len(op.inputs) > 2 else None
    return np.zeros((), np.float64) if bias is None else bias.astype(np.float64)


def output_channels(op: Op, graph: Rewriter) -> int:
    size = graph.tensors[op.inputs[1]].shape[op.operator.weight_axes[1]]
    assert size is not None
    return size


def scaled_outputs(op: Op, kernel: Array, scale: NDArray[np.float64]) -> Array:
    """The kernel with each output channel times its scale."""
    shape = [1] * kernel.ndim
    shape[op.operator.weight_axes[1]] = -1
    return product_float32(kernel, scale.reshape(shape))


def per_tap_inputs(op: Op, kernel: Array, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """A value per input channel, shaped to broadcast against the kernel's elements."""
    match op.operator:
        case DepthwiseConv2D():
            return vector if vector.ndim == 0 else np.repeat(vector, kernel.shape[3] // len(vector))
        case Conv2D(groups=groups) if groups > 1 and vector.ndim:
            rows = np.repeat(vector.reshape(groups, -1), len(kernel) // groups, axis=0)
            return rows[:, None, None, :]
    return vector


def with_input_map(op: Op, graph: Rewriter, map_: Affine) -> tuple[Array, NDArray[np.float64]]:
    """Kernel and bias of the op that takes ``x`` where ``op`` took ``map_(x)``.

    The offset reaches the output through every tap, so it must not meet padding.
    """
    kernel = graph.value(op.inputs[1])
    assert kernel is not None
    bias = bias_of(op, graph)
    if map_.shifts:
        axis = op.operator.weight_axes[1]
        others = tuple(i for i in range(kernel.ndim) if i != axis)
        bias = bias + (kernel * per_tap_inputs(op, kernel, map_.offset)).sum(axis=others)
    if map_.scales:
        kernel = product_float32(kernel, per_tap_inputs(op, kernel, map_.scale))
    return kernel, bias


def product_float32(kernel: Array, factor: NDArray[np.float64]) -> Array:
    """The product computed in float64 and rounded once, without a float64 copy of the kernel."""
    result = np.empty_like(kernel)
    return np.multiply(kernel, factor, out=result, dtype=np.float64, casting="unsafe")


def rebuilt(
    op: Op,
    graph: Rewriter,
    *,
    kernel: Array | None = None,
    bias: NDArray[np.float64],
    source: str | None = None,
    activation: Activation | None = None,
    output: str | None = None,
) -> Op:
    """``op`` with the parts given here in place of its own; a zero scalar bias is left out."""
    inputs = [op.inputs[0] if source is None else source, op.inputs[1]]
    if kernel is not None and kernel is not graph.value(op.inputs[1]):
        inputs[1] = graph.updated_constant(op.inputs[1], kernel, op)
    output = op.output if output is None else output
    if bias.ndim or bias != 0:
        data = np.broadcast_to(bias, output_channels(op, graph)).astype(np.float32)
        if len(op.inputs) > 2:
            inputs.append(graph.updated_constant(op.inputs[2], data, op))
        else:
            layer = op.inputs[1].rpartition("/")[0] or output
            inputs.append(graph.constant(f"{layer}/bias", data))
    operator = op.operator
    assert isinstance(operator, Weighted)
    if activation is not None:
        operator = replace(operator, activation=activation)
    return graph.make(operator, inputs, output)
