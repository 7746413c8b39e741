"""What LiteRT's GPU runtime refuses, written in ops that it takes."""

from dataclasses import replace

import numpy as np

from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.lowering.gpu.writer import Writer, reshape_to

LEAST_PADDED_RANK = 3


def function(op: Op, writer: Writer) -> bool:
    """Rule 1."""
    x, y = writer.tensor(op.inputs[0]), writer.tensor(op.output)
    if x.quantization is None:
        return False
    real = writer.builder.add(ops.Dequantize(), [x.name], f"{op.name}/real")
    if y.quantization is None:
        return writer.last(op, op.operator, real)
    value = writer.builder.add(op.operator, [real], f"{op.name}/value")
    return writer.last(op, ops.Quantize(y.dtype), value)


def log_softmax(op: Op, writer: Writer) -> bool:
    """Rule 2."""
    x, y = writer.tensor(op.inputs[0]), writer.tensor(op.output)
    add, axes = writer.builder.add, (x.rank - 1,)
    name = x.name
    if x.quantization is not None:
        name = add(ops.Dequantize(), [name], f"{op.name}/real")
    most = add(ops.ReduceMax(axes, True), [name], f"{op.name}/most")
    below = add(ops.Sub(), [name, most], f"{op.name}/below")
    powers = add(ops.Exp(), [below], f"{op.name}/powers")
    total = add(ops.Sum(axes, True), [powers], f"{op.name}/total")
    log = add(ops.Log(), [total], f"{op.name}/log")
    if y.quantization is None:
        return writer.last(op, ops.Sub(), below, log)
    value = add(ops.Sub(), [below, log], f"{op.name}/value")
    return writer.last(op, ops.Quantize(y.dtype), value)


def padding(op: Op, writer: Writer) -> bool:
    """Rule 3."""
    assert isinstance(op.operator, ops.Pad | ops.MirrorPad)
    x = writer.tensor(op.inputs[0])
    front = LEAST_PADDED_RANK - x.rank
    if front <= 0:
        return False
    lifted = writer.reshaped(x.name, (*(1,) * front, *x.shape), f"{op.name}/lifted")
    operator = replace(op.operator, paddings=(*((0, 0),) * front, *op.operator.paddings))
    padded = writer.add(operator, [lifted], f"{op.name}/padded", writer.tensor(op.output))
    return writer.last(op, reshape_to(writer.tensor(op.output).shape), padded)


def slice_of_mask(op: Op, writer: Writer) -> bool:
    """Rule 4."""
    operator = op.operator
    assert isinstance(operator, ops.StridedSlice)
    x = writer.tensor(op.inputs[0])
    cut = [axis for axis, part in enumerate(operator.slices) if part != slice(None, None, 1)]
    if x.dtype != "bool" or len(cut) != 1 or (size := x.shape[cut[0]]) is None:
        return False
    (axis,) = cut
    steps = np.arange(size, dtype=np.int32)[operator.slices[axis]]
    at = writer.builder.constant(f"{op.name}/steps", steps)
    if not operator.squeezed:
        return writer.last(op, ops.Gather(axis), x.name, at)
    kept = writer.add(ops.Gather(axis), [x.name, at], f"{op.name}/kept", x)
    return writer.last(op, reshape_to(writer.tensor(op.output).shape), kept)


def gather(op: Op, writer: Writer) -> bool:
    """Rule 5, of float16."""
    producer = writer.producers.get(op.inputs[0])
    if producer is None or not isinstance(producer.operator, ops.Dequantize):
        return False
    halves = writer.tensor(producer.inputs[0]).data
    if halves is None or halves.dtype != np.float16:
        return False
    table = f"{op.name}/table"
    return writer.last(op, op.operator, writer.constant(table, halves), *op.inputs[1:])


def dequantize(op: Op, writer: Writer) -> bool:
    """Rule 5, of int16."""
    producer = writer.producers.get(op.inputs[0])
    if producer is None or not isinstance(producer.operator, ops.Gather):
        return False
    rows = writer.tensor(producer.inputs[0])
    if rows.data is None or rows.quantization is None or rows.dtype != "int16":
        return False
    table = writer.constant(f"{producer.name}/table", rows.quantization.dequantize(rows.data))
    return writer.last(op, producer.operator, table, *producer.inputs[1:])


def dense(op: Op, writer: Writer) -> bool:
    """Rule 6."""
    assert isinstance(op.operator, ops.FullyConnected)
    x, y = writer.tensor(op.inputs[0]), writer.tensor(op.output)
    if x.data is None or x.dtype != "float32" or x.data.any():
        return False
    data = np.zeros([size or 1 for size in y.shape], np.float32)
    for bias in map(writer.tensor, op.inputs[2:]):
        if bias.data is None:
            return False
        data += bias.data
    writer.builder.tensors[y.name] = y.with_(data=op.operator.activation.apply(data))
    return True
