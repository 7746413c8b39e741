"""QuantizeLinear and DequantizeLinear with the parameters that the graph says.

ONNX writes a quantised model as a float one (QDQ): each value is put on the grid of its integers
by a QuantizeLinear and a DequantizeLinear, and constants are stored as integers. Engines fuse
an op between a DequantizeLinear and a QuantizeLinear to an integer kernel.

The graph's per-tensor values are written unsigned, both integer and zero point higher by half the
range: the same real numbers in steps of the same scale. ONNX Runtime converts int8 activations to
uint8 on x86, but not those that several ops read, and leaves the ops around them in float.
Qualcomm's HTP has kernels for uint16 where it has none for int16.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from edgenn.export.onnx.writer import Writer
from edgenn.ir.tensor import INTEGER_RANGES, Array, Quantization, Tensor

UNSIGNED = {"int8": "uint8", "int16": "uint16"}


@dataclass(frozen=True)
class Stored:
    """How integers are stored in the file: dtype, and what they stand for."""

    dtype: str
    quantization: Quantization

    @classmethod
    def of(cls, quantization: Quantization, dtype: str) -> "Stored":
        """Biases of int16x8 are int64 for LiteRT's kernels; their numbers fit ONNX's int32."""
        if dtype in UNSIGNED and quantization.axis is None:
            zero_point = quantization.zero_point - INTEGER_RANGES[dtype][0]
            return cls(UNSIGNED[dtype], replace(quantization, zero_point=zero_point))
        return cls("int32" if dtype == "int64" else dtype, quantization)

    def inputs(self, writer: Writer) -> list[str]:
        """Scale and zero point; int32 has no zero point in ONNX."""
        scale = self.quantization.scale.astype(np.float32)
        zero_point = self.quantization.zero_point.astype(self.dtype)
        parameters = {"scale": scale, "zero_point": zero_point}
        if self.dtype == "int32":
            del parameters["zero_point"]
        if self.quantization.axis is None:
            return [writer.attribute(k, v.reshape(()), v.dtype.name) for k, v in parameters.items()]
        # not shared between weights: ONNX Runtime's uint8 mode for x86 without VNNI
        # (session.x64quantprecision) replaces the zero point of each
        return [
            writer.initializer(writer.fresh(f"{writer.scope}/{k}"), v)
            for k, v in parameters.items()
        ]


def on_grid(value: str, tensor: Tensor, writer: Writer) -> tuple[str, str]:
    """``value`` rounded and saturated to what ``tensor`` can hold: the integers, and as float32."""
    assert tensor.quantization is not None
    parameters = Stored.of(tensor.quantization, tensor.dtype).inputs(writer)
    integers = writer.node("QuantizeLinear", [value, *parameters])
    return integers, writer.node("DequantizeLinear", [integers, *parameters])


def dequantized(value: str, quantization: Quantization, dtype: str, writer: Writer) -> str:
    """The real numbers of integers as the file holds them.

    Args:
        dtype: Of the graph's integers.
    """
    parameters = Stored.of(quantization, dtype).inputs(writer)
    axis = {} if quantization.axis is None else {"axis": quantization.axis}
    return writer.node("DequantizeLinear", [value, *parameters], **axis)


def stored_integers(data: Array, quantization: Quantization) -> Array:
    """A constant's integers as the file holds them; a view where they stay as they are."""
    dtype = Stored.of(quantization, data.dtype.name).dtype
    if dtype == UNSIGNED.get(data.dtype.name):
        lowest = np.array(INTEGER_RANGES[data.dtype.name][0], data.dtype)
        return np.asarray(data ^ lowest).view(dtype)  # the highest bit flips
    low, high = INTEGER_RANGES[dtype]
    assert dtype == data.dtype or data.size == 0 or (data.min() >= low and data.max() <= high)
    return data.astype(dtype, copy=False)


def reaxed(quantization: Quantization, moved: Callable[[int], int]) -> Quantization:
    """The same parameters for a tensor whose axes were moved."""
    if quantization.axis is None:
        return quantization
    return replace(quantization, axis=moved(quantization.axis))
