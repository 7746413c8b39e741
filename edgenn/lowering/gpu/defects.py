"""What LiteRT's GPU runtime takes and gets wrong, written in another way."""

from dataclasses import replace

import numpy as np

from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.ops.reduction import normalized
from edgenn.ir.tensor import Array, Quantization, Tensor
from edgenn.lowering.gpu.writer import Writer, reshape_to

VECTOR = 4
"""Channels that a shader holds in one value."""
GREATEST_RANK = 4
ROLES = ("kernel", "bias")


def convolution(op: Op, writer: Writer) -> bool:
    """Rules 7 and 8."""
    assert isinstance(op.operator, ops.Conv2D)
    kernel = writer.tensor(op.inputs[1])
    if kernel.data is None:
        return False
    outside, height, width, inside = kernel.data.shape
    of_group = {inside, outside // op.operator.groups}
    if op.operator.groups > 1 and of_group != {1} and any(size % VECTOR for size in of_group):
        return one_by_one(op, op.operator, kernel, writer)
    if (height, width) != (1, 1) or kernel.dtype != "int8" or op.operator.strides == (1, 1):
        return False
    x, every = writer.tensor(op.inputs[0]), (None,) * 4
    thin = ops.StridedSlice(every, every, (1, *op.operator.strides, 1))
    thinned = writer.add(thin, [x.name], f"{op.name}/thinned", x)
    return writer.last(op, replace(op.operator, strides=(1, 1)), thinned, *op.inputs[1:])


def one_by_one(op: Op, operator: ops.Conv2D, kernel: Tensor, writer: Writer) -> bool:
    """Each group as a convolution."""
    x, y, count = writer.tensor(op.inputs[0]), writer.tensor(op.output), operator.groups
    sizes = ((x.shape[3] or 0) // count,) * count
    names = [f"{op.name}/group_{i}/x" for i in range(count)]
    parts = writer.builder.add_multiple(ops.Split(3, sizes), [x.name], names)
    results = []
    for i, part in enumerate(parts):
        writer.builder.tensors[part] = writer.tensor(part).with_(quantization=x.quantization)
        constants = [
            writer.builder.constant(f"{op.name}/group_{i}/{role}", *group_of(tensor, i, count))
            for role, tensor in zip(
                ROLES, (kernel, *map(writer.tensor, op.inputs[2:])), strict=False
            )
        ]
        alone = replace(operator, groups=1)
        results.append(writer.add(alone, [part, *constants], f"{op.name}/group_{i}", y))
    return writer.last(op, ops.Concatenation(3), *results)


def group_of(tensor: Tensor, index: int, count: int) -> tuple[Array, Quantization | None]:
    """A group's part of a kernel or bias, whose first dimension is that of the outputs."""
    assert tensor.data is not None
    size = len(tensor.data) // count
    part, quantization = slice(index * size, (index + 1) * size), tensor.quantization
    if quantization is not None and quantization.axis is not None:
        quantization = replace(
            quantization, scale=quantization.scale[part], zero_point=quantization.zero_point[part]
        )
    return tensor.data[part], quantization


def split(op: Op, writer: Writer) -> bool:
    """Rule 9."""
    assert isinstance(op.operator, ops.Split)
    if writer.read.issuperset(op.outputs):
        return False
    rank = writer.tensor(op.inputs[0]).rank
    axis, ends = normalized(op.operator.axis, rank), np.cumsum(op.operator.sizes).tolist()
    for name, size, end in zip(op.outputs, op.operator.sizes, ends, strict=True):
        if name in writer.read:
            begin, until = [None] * rank, [None] * rank
            begin[axis], until[axis] = end - size, end
            part = ops.StridedSlice(tuple(begin), tuple(until), (1,) * rank)
            writer.builder.ops.append(Op(name, part, op.inputs, (name,)))
    return True


def copies(op: Op, writer: Writer) -> bool:
    """Rule 10."""
    inputs: list[str] = []
    for i, name in enumerate(op.inputs):
        shape = writer.tensor(name).shape
        inputs.append(
            writer.reshaped(name, shape, f"{op.name}/copy_{i}") if name in inputs else name
        )
    return tuple(inputs) != op.inputs and writer.last(op, op.operator, *inputs)


def reverse(op: Op, writer: Writer) -> bool:
    """Rule 11, first half."""
    assert isinstance(op.operator, ops.Reverse)
    x = writer.tensor(op.inputs[0])
    last, channels = x.rank - 1, x.shape[-1]
    axes = {normalized(axis, x.rank) for axis in op.operator.axes}
    if last not in axes or channels is None or channels <= VECTOR or channels % VECTOR == 0:
        return False
    name = x.name
    if others := tuple(sorted(axes - {last})):
        name = writer.add(ops.Reverse(others), [name], f"{op.name}/others", x)
    order = writer.builder.constant(f"{op.name}/order", np.arange(channels, dtype=np.int32)[::-1])
    return writer.last(op, ops.Gather(last), name, order)


def arg_max(op: Op, writer: Writer) -> bool:
    """Rule 11, second half."""
    assert isinstance(op.operator, ops.ArgMax)
    x = writer.tensor(op.inputs[0])
    axis, channels = normalized(op.operator.axis, x.rank), x.shape[-1]
    if axis != x.rank - 1 or x.rank == GREATEST_RANK or (channels or 0) % VECTOR == 0:
        return False
    rows = writer.reshaped(x.name, (*x.shape, 1), f"{op.name}/rows")
    found = writer.builder.add(replace(op.operator, axis=axis), [rows], f"{op.name}/found")
    return writer.last(op, reshape_to(writer.tensor(op.output).shape), found)
