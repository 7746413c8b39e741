"""The states that a loop begins with."""

import numpy as np

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Op
from edgenn.ir.ops.conversion import Cast, Dequantize, Quantize
from edgenn.ir.ops.elementwise import Mul
from edgenn.ir.ops.scan import Scan, zeros
from edgenn.ir.ops.shape import Reshape, StridedSlice
from edgenn.ir.tensor import Quantization, Tensor

ONE = Quantization.per_tensor(1.0)


def first_states(builder: GraphBuilder, op: Op, scan: Scan, scope: str) -> list[str]:
    """The initial states given, or zeros; equal zeros are there once.

    Args:
        scope: Comes before the names of new tensors.
    """
    if not scan.zero_state:
        return list(op.inputs[scan.sequences :])
    known: dict[object, str] = {}
    result = []
    for state in scan.state_tensors:
        key = (state.shape, state.dtype, state.quantization)
        if key not in known:
            known[key] = zero_state(builder, op.inputs[: scan.sequences], state, f"{scope}/zeros")
        result.append(known[key])
    return result


def zero_state(builder: GraphBuilder, sequences: tuple[str, ...], state: Tensor, name: str) -> str:
    """Zeros for as many rows as the sequences have.

    Where their number is open, zeros times a column of a sequence: then the shape follows from
    the input's without running an op, which LiteRT wants of every shape.
    """
    batch = builder.tensors[sequences[0]].shape[0]
    if batch is not None:
        return builder.constant(name, zeros(state, batch), state.quantization)
    source = next((s for s in sequences if builder.tensors[s].dtype == state.dtype), sequences[0])
    x = column(builder, source, state.rank, name)
    tensor = builder.tensors[x]
    sizes = [1, *(size or 1 for size in state.shape[1:])]
    quantization = None if tensor.quantization is None else ONE
    nothing = builder.constant(f"{name}/nothing", np.zeros(sizes, tensor.dtype), quantization)
    y = builder.add(Mul(), [x, nothing], name)
    same = tensor.dtype == state.dtype and quantization is not None
    give(builder, y, state.quantization if same else quantization)
    if same or (quantization is None and state.quantization is None):
        return y
    if state.quantization is None:
        return builder.add(Dequantize(), [y], f"{name}/real")
    y = builder.add(Quantize(state.dtype), [y], f"{name}/quantized")
    return give(builder, y, state.quantization)


def column(builder: GraphBuilder, source: str, rank: int, name: str) -> str:
    """One number of each row of a sequence, ``(B, 1, …)``: real, or quantised like it."""
    tensor = builder.tensors[source]
    ones = (1,) * (tensor.rank - 1)
    operator = StridedSlice(
        (None, *(0 for _ in ones)),
        (None, *ones),
        (1, *ones),
        tuple(range(1, tensor.rank - rank + 1)),
    )
    x = builder.add(operator, [source], f"{name}/column")
    give(builder, x, tensor.quantization)
    if tensor.rank < rank:
        x = builder.add(Reshape((-1, *[1] * (rank - 1))), [x], f"{name}/wide")
        give(builder, x, tensor.quantization)
    if tensor.quantization is None and tensor.dtype != "float32":
        x = builder.add(Cast("float32"), [x], f"{name}/number")
    return x


def give(builder: GraphBuilder, name: str, quantization: Quantization | None) -> str:
    """Sets a tensor's parameters."""
    builder.tensors[name] = builder.tensors[name].with_(quantization=quantization)
    return name
