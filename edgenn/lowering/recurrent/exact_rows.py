"""Keeps int8 inputs of float products exact.

Where x is float and the weights are int8, FULLY_CONNECTED puts each row of x on a grid of its
own, from the row's smallest value to its largest in 255 steps, and multiplies integers. Rows that
come from int8 are on a grid already, and would be rounded a second time. Two more columns, of the
least and the greatest value that int8 stands for, make the kernel's grid the same as theirs, so
that nothing is rounded; their weights are 0.
"""

import numpy as np

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Dequantize, Pad
from edgenn.ir.tensor import INTEGER_RANGES, Tensor

COLUMNS = 2


def with_exact_rows(builder: GraphBuilder, x: str, kernel: str) -> tuple[str, str]:
    """The x and kernel of a product, wider if x is dequantised from int8 and the kernel is int8.

    Args:
        x: Float ``(…, F)``.
        kernel: Constant ``(O, F)``.
    """
    source = int8_source(builder, x)
    weights = builder.tensors[kernel]
    if source is None or weights.dtype != "int8" or weights.data is None:
        return x, kernel
    assert source.quantization is not None
    ends = source.quantization.dequantize(np.array(INTEGER_RANGES["int8"], np.int8))
    wide = source.name
    for end in ends:
        operator = Pad((*[(0, 0)] * (source.rank - 1), (0, 1)), float(end))
        wide = builder.add(operator, [wide], f"{x}/end")
        builder.tensors[wide] = builder.tensors[wide].with_(quantization=source.quantization)
    widened = builder.add(Dequantize(), [wide], f"{x}/with_ends")
    data = np.pad(weights.data, ((0, 0), (0, COLUMNS)))
    return widened, builder.constant(f"{kernel}/with_ends", data, weights.quantization)


def int8_source(builder: GraphBuilder, x: str) -> Tensor | None:
    """The int8 tensor that x is dequantised from."""
    for op in builder.ops:
        if x in op.outputs and isinstance(op.operator, Dequantize):
            source = builder.tensors[op.inputs[0]]
            return source if source.dtype == "int8" and not source.is_constant else None
    return None
