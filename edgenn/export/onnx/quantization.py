"""QuantizeLinear and DequantizeLinear with the parameters that the graph says.

ONNX writes a quantised model as a float one (QDQ): each value is put on the grid of its integers
by a QuantizeLinear and a DequantizeLinear, and constants are stored as integers. Engines fuse
an op between a DequantizeLinear and a QuantizeLinear to an integer kernel.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgenn.export.onnx.writer import Writer
from edgenn.ir.tensor import INTEGER_RANGES, Array, Quantization, Tensor


def on_grid(value: str, tensor: Tensor, writer: Writer) -> str:
    """``value`` rounded and saturated to what ``tensor`` can hold, as float32."""
    assert tensor.quantization is not None
    parameters = parameter_inputs(tensor.quantization, tensor.dtype, writer)
    integers = writer.node("QuantizeLinear", [value, *parameters])
    return writer.node("DequantizeLinear", [integers, *parameters])


def parameter_inputs(quantization: Quantization, dtype: str, writer: Writer) -> list[str]:
    """Scale and zero point: numbers, or vectors where there is one a channel.

    int32 has no zero point in ONNX.
    """
    shape = () if quantization.axis is None else (-1,)
    scale = writer.attribute("scale", quantization.scale.reshape(shape), "float32")
    if dtype == "int32":
        return [scale]
    zero_point = quantization.zero_point.reshape(shape)
    return [scale, writer.attribute("zero_point", zero_point, dtype)]


def dequantized(value: str, quantization: Quantization, dtype: str, writer: Writer) -> str:
    """The real numbers of stored integers."""
    parameters = parameter_inputs(quantization, dtype, writer)
    axis = {} if quantization.axis is None else {"axis": quantization.axis}
    return writer.node("DequantizeLinear", [value, *parameters], **axis)


def storable(data: Array) -> Array:
    """Integers in a dtype that DequantizeLinear takes.

    Biases of int16x8 are int64 for LiteRT's kernels; their numbers fit int32.
    """
    if data.dtype != np.int64:
        return data
    low, high = INTEGER_RANGES["int32"]
    assert data.size == 0 or (data.min() >= low and data.max() <= high)
    return data.astype(np.int32)


def reaxed(quantization: Quantization, moved: Callable[[int], int]) -> Quantization:
    """The same parameters for a tensor whose axes were moved."""
    if quantization.axis is None:
        return quantization
    return replace(quantization, axis=moved(quantization.axis))
