"""What stateful kernels need of a file: variable tensors and intermediates."""

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.context import Context
from edgenn.ir.inference import of_one_sample
from edgenn.ir.tensor import Quantization, Shape, Tensor


def variable(
    name: str,
    shape: Shape,
    dtype: str,
    context: Context,
    quantization: Quantization | None = None,
    rows: int = 1,
) -> int:
    """A tensor that keeps its value from one run to the next and begins with 0.

    Args:
        rows: Where their number is open: those of one sample.
    """
    index = context.temporary(name, shape, dtype, quantization)
    written = context.subgraph.tensors[index]
    written.isVariable = True
    if shape[0] is None:
        written.shape = [rows, *written.shape[1:]]
    return index


def rows_of_one_sample(name: str, context: Context) -> int:
    """How many rows a tensor has where the model's batch is 1.

    Raises:
        UnsupportedError: They depend on more than the batch, and states do not follow that.
    """
    (rows, *_) = of_one_sample(context.graph).tensors[name].shape
    if rows is None:
        raise UnsupportedError(
            f"{name}: the number of sequences that it runs over depends on an open size",
            hint="--rnn loop",
        )
    return rows


def carrier(
    name: str, dtype: str, context: Context, quantization: Quantization | None = None
) -> int:
    """A tensor without elements, which tells a kernel the parameters of a value inside it."""
    return context.add_tensor(Tensor(name, (0,), dtype, quantization))


def add_intermediates(indices: list[int], context: Context) -> None:
    """Gives the op that was written last its intermediates."""
    context.subgraph.operators[-1].intermediates = indices
