"""Biases that keep ONNX Runtime from rounding the weights of layers that stay in float.

Where a float convolution or Gemm stands between a DequantizeLinear and a QuantizeLinear, ONNX
Runtime takes its weights for forgotten and rounds them to int8, with one scale for all (1.32,
``qdq_transformer/weight_bias_quantization.cc``). It leaves alone what has a bias that is no
constant in float. So the bias is stored in steps of int32, which hold it as well as float32 does,
behind a DequantizeLinear.
"""

from typing import Final

import numpy as np

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.quantization import dequantized
from edgenn.ir.graph import Op
from edgenn.ir.ops import Quantize
from edgenn.ir.tensor import Quantization

LARGEST: Final = 2**30
"""Steps that the largest number of a bias has."""


def bias_of(op: Op, context: Context) -> list[str]:
    """The bias as the inputs behind the weights: one value, or none where the op has no bias."""
    if would_be_rounded(op, context):
        return [in_steps(op, context)]
    return [context.value(name) for name in op.inputs[2:]]


def would_be_rounded(op: Op, context: Context) -> bool:
    """Whether the op has float weights and its result goes into integers."""
    weights, output = context.stored(op.inputs[1]), context.tensor(op.output)
    constants = [context.is_constant(name) for name in op.inputs[1:]]
    readers = context.graph.consumers[op.output]
    return (
        all(constants)
        and weights.dtype == "float32"
        and output.quantization is None
        and any(isinstance(reader.operator, Quantize) for reader in readers)
    )


def in_steps(op: Op, context: Context) -> str:
    """The bias, zeros where there is none, behind a DequantizeLinear."""
    channels = context.tensor(op.output).shape[-1] or 0
    data = context.tensor(op.inputs[2]).data if op.inputs[2:] else np.zeros(channels, np.float32)
    assert data is not None
    scale = np.float32(max(float(np.abs(data).max(initial=0)), 1e-6) / LARGEST)
    steps = np.round(data.astype(np.float64) / np.float64(scale)).astype(np.int32)
    integers = context.initializer(context.fresh(f"{op.output}/bias"), steps)
    return dequantized(integers, Quantization.per_tensor(float(scale)), "int32", context)
