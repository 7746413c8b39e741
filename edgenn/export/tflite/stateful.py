"""What stateful kernels need of a file: variable tensors and intermediates."""

from edgenn.export.tflite.context import Context
from edgenn.ir.tensor import Quantization, Shape, Tensor


def variable(
    name: str, shape: Shape, dtype: str, context: Context, quantization: Quantization | None = None
) -> int:
    """A tensor that keeps its value from one run to the next and begins with 0."""
    index = context.temporary(name, shape, dtype, quantization)
    context.subgraph.tensors[index].isVariable = True
    return index


def carrier(
    name: str, dtype: str, context: Context, quantization: Quantization | None = None
) -> int:
    """A tensor without elements, which tells a kernel the parameters of a value inside it."""
    return context.add_tensor(Tensor(name, (0,), dtype, quantization))


def add_intermediates(indices: list[int], context: Context) -> None:
    """Gives the op that was written last its intermediates."""
    context.subgraph.operators[-1].intermediates = indices
