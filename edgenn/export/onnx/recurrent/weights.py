"""Weights of recurrent layers as ONNX's operators take them, one slab for each direction."""

from collections.abc import Sequence

import numpy as np

from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import ELEMENT_TYPES
from edgenn.export.onnx.quantization import dequantized
from edgenn.ir.graph import Op
from edgenn.ir.ops.recurrent import Gru, Lstm, Recurrent, SimpleRnn
from edgenn.ir.tensor import Array, Quantization, Tensor

GATES: dict[type[Recurrent], tuple[int, ...]] = {
    Lstm: (0, 3, 1, 2),
    Gru: (0, 1, 2),
    SimpleRnn: (0,),
}
"""Keras's gates in ONNX's order: i o f c for an LSTM (Keras: i f c o), z r h for a GRU."""


def packed_weights(ops: Sequence[Op], context: Context) -> list[str]:
    """``W`` ``(D, G·U, F)``, ``R`` ``(D, G·U, U)`` and ``B`` ``(D, 2·G·U)`` of D directions."""
    kernels, recurrent = ([op.inputs[index] for op in ops] for index in (1, 2))
    biases = [name for op in ops for name in bias_names(op)]
    rows = gate_rows(ops[0])

    def made_once(letter: str, names: Sequence[str]) -> str:
        key = (letter, type(ops[0].operator), *names)
        if key not in context.made:
            if letter == "B":
                context.made[key] = bias(ops, rows, context)
            else:
                context.made[key] = kernel(letter, names, rows, context)
        return str(context.made[key])

    return [made_once("W", kernels), made_once("R", recurrent), made_once("B", biases)]


def bias_names(op: Op) -> tuple[str, ...]:
    """The bias and, for a GRU, the recurrent one."""
    assert isinstance(op.operator, Recurrent)
    return op.inputs[3 : 1 + op.operator.weights]


def gate_rows(op: Op) -> Array:
    """Which of Keras's rows each of ONNX's is."""
    assert isinstance(op.operator, Recurrent)
    units = op.operator.units
    return np.concatenate([np.arange(units) + gate * units for gate in GATES[type(op.operator)]])


def kernel(letter: str, names: Sequence[str], rows: Array, context: Context) -> str:
    """Kernels one behind the other, stored as the graph stores them."""
    tensors = [context.stored(name) for name in names]
    slabs = [tensor.data[rows] for tensor in tensors if tensor.data is not None]
    assert len(slabs) == len(tensors), f"{names} are not constant"
    name = context.fresh(f"{context.scope}/{letter}")
    if tensors[0].quantization is not None:
        return integer_kernel(name, tensors, slabs, rows, context)
    value = context.initializer(name, np.stack(slabs))
    if slabs[0].dtype == np.float32:
        return value
    return context.node("Cast", [value], to=ELEMENT_TYPES["float32"])


def integer_kernel(
    name: str, tensors: Sequence[Tensor], slabs: Sequence[Array], rows: Array, context: Context
) -> str:
    """Integers with a scale for each row; a DequantizeLinear has them along one axis only."""
    scales, zero_points = [], []
    for tensor in tensors:
        quantization = tensor.quantization
        assert quantization is not None and quantization.axis in (0, None)
        scales.append(np.broadcast_to(quantization.scale, rows.shape)[rows])
        zero_points.append(np.broadcast_to(quantization.zero_point, rows.shape)[rows])
    value = context.initializer(name, np.concatenate(slabs))
    parameters = Quantization(np.concatenate(scales), np.concatenate(zero_points), axis=0)
    value = dequantized(value, parameters, slabs[0].dtype.name, context)
    shape = context.attribute("shape", (len(slabs), *slabs[0].shape))
    return context.node("Reshape", [value, shape])


def bias(ops: Sequence[Op], rows: Array, context: Context) -> str:
    """For each direction the bias of the input, then that of the state."""
    slabs = []
    for op in ops:
        vectors = [context.stored(name).real()[rows] for name in bias_names(op)]
        vectors += [np.zeros_like(vectors[0])] * (2 - len(vectors))
        slabs.append(np.concatenate(vectors).astype(np.float32))
    return context.initializer(context.fresh(f"{context.scope}/B"), np.stack(slabs))
