"""Biases: LiteRT 2.3 crashes on a depthwise convolution without one, so none goes without."""

import numpy as np
from numpy.typing import NDArray

from edgenn.export.tflite.context import Context
from edgenn.ir.graph import Op
from edgenn.ir.tensor import Quantization, Tensor

BIAS_DTYPES: dict[str, str] = {"float32": "float32", "int8": "int32", "int16": "int64"}
"""The bias' dtype by that of the activations: what the kernel accumulates in."""


def operands_with_bias(op: Op, context: Context) -> list[int]:
    """Indices of x, weights and bias; a bias of zeros where the op has none."""
    indices = context.indices(op.inputs)
    return indices if len(indices) == 3 else [*indices, zero_bias(op, context)]


def zero_bias(op: Op, context: Context) -> int:
    """A bias of zeros that fits the op's input and weights."""
    x, weights = (context.tensor(name) for name in op.inputs[:2])
    channels = context.tensor(op.output).shape[-1]
    assert channels is not None
    zeros = np.zeros(channels, BIAS_DTYPES[x.dtype])
    quantization = None
    if x.quantization is not None and weights.quantization is not None:
        scales = x.quantization.scale[0] * weights.quantization.scale
        quantization = Quantization(scales, np.zeros(len(scales), np.int64), _axis(scales))
    return context.add_tensor(Tensor.constant(f"{op.output}/bias", zeros, quantization))


def _axis(scales: NDArray[np.float32]) -> int | None:
    return 0 if len(scales) > 1 else None
