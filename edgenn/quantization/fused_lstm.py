"""The integers of a fused LSTM: one scale a weight matrix, a cell state in steps of a power of two.

As TFLite's specification of the op has it: ``converter/tools/optimize/operator_property.cc`` of
LiteRT, ``UNIDIRECTIONAL_SEQUENCE_LSTM``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from edgenn.ir.graph import Graph
from edgenn.ir.ops.fused_lstm import LOOP_STATES, FusedLstm
from edgenn.ir.ops.integer_lstm import cell_exponent
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.quantization.parameters import (
    Range,
    quantize_bias,
    quantize_weights,
    weight_scales,
)
from edgenn.quantization.statistics import Statistics


def weights_in_int8(
    weights: Tensor, bias: Tensor | None = None, input_scale: float = 1.0
) -> Tensor:
    """A constant in int8 with one scale and no zero point.

    Args:
        bias: What is added to the products; if it would overflow the accumulator, the scale
            grows.
        input_scale: Of what the weights are multiplied with; for the bias.
    """
    assert weights.data is not None
    reach = None
    if bias is not None:
        assert bias.data is not None
        reach = np.abs(bias.data).max(initial=0, keepdims=True)
    scales = weight_scales(weights.data.reshape(1, -1), 0, reach, input_scale)
    data = quantize_weights(weights.data, scales, 0)
    return Tensor.constant(weights.name, data, Quantization.per_tensor(scales[0]))


def bias_in_int32(bias: Tensor, weights: Tensor, input_scale: float) -> Tensor:
    """A bias on the scale of the products, ``input_scale`` × that of the int8 ``weights``."""
    assert bias.data is not None
    assert weights.quantization is not None
    wanted = Quantization.per_tensor(np.float32(input_scale) * weights.quantization.scale[0])
    return Tensor.constant(bias.name, quantize_bias(bias.data, wanted.scale, "int32"), wanted)


def dynamic_weights(weights: Sequence[Tensor]) -> list[Tensor]:
    """The op's inputs after x for float activations: matrices in int8, biases as they are."""
    return [*(weights_in_int8(matrix) for matrix in weights[:8]), *weights[8:]]


def integer_weights(weights: Sequence[Tensor], x: Quantization) -> list[Tensor]:
    """The op's inputs after x for int8 activations: matrices in int8, biases in int32."""
    kernels, recurrents, biases = weights[:4], weights[4:8], weights[8:]
    scale = float(x.scale[0])
    narrow = [
        weights_in_int8(kernel, bias, scale) for kernel, bias in zip(kernels, biases, strict=True)
    ]
    wide = [bias_in_int32(bias, kernel, scale) for bias, kernel in zip(biases, narrow, strict=True)]
    return [*narrow, *(weights_in_int8(matrix) for matrix in recurrents), *wide]


def with_cell_range(lstm: FusedLstm, cell: Range) -> FusedLstm:
    """The operator with a cell state whose int16 steps hold the calibrated range."""
    return replace(lstm, cell_exponent=cell_exponent(max(-cell.low, cell.high)))


def seen_in_loops(graph: Graph, statistics: Mapping[str, Statistics]) -> dict[str, Statistics]:
    """The statistics of a graph with its LSTMs as loops, for the graph with them fused.

    A fused op's output has all steps even where the model reads the last one only.
    """
    states = graph.metadata[LOOP_STATES]
    return {**{name: statistics[hidden] for name, (hidden, _) in states.items()}, **statistics}
