"""Graphs in ops that LiteRT's GPU runtime computes, and computes as LiteRT's reference kernels do.

The last thing that is done to a graph, once its recurrent layers have their form. Integers stay
what they are but for rule 1, where a function is rounded twice instead of once.

What the GPU runtime refuses:

1. A function of int8 looked up in a table (GATHER with indices of several dimensions; with one,
   it takes the real values for indices). It becomes its float steps, between DEQUANTIZE and
   QUANTIZE: the GPU computes integers in float anyway.
2. The log-softmax. It becomes ``d - log(sum(exp(d)))``, ``d = x - max(x)``.
3. Padding of fewer than three dimensions. Others are put in front.
4. Steps of a mask, STRIDED_SLICE of bool. They are gathered.

What it takes, and gets wrong or dies of (ai-edge-litert 2.3.0):

5. A 1 × 1 convolution with int8 weights is computed without its stride. Its input is thinned out
   before.
6. Groups of a convolution that are not multiples of four channels, nor single ones. Each group
   becomes a convolution.
7. Outputs of a SPLIT that nobody reads. Those that are read become slices.
8. The same tensor twice in one op. The second one becomes a copy.
9. REVERSE_V2 and ARG_MAX over channels that are no multiple of four. Channels are gathered in
   their new order; the maximum is looked for along another dimension.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops.reduction import normalized
from edgenn.ir.tensor import Array, Quantization, Tensor

VECTOR = 4
"""Channels that a shader holds in one value."""
LEAST_PADDED_RANK, GREATEST_RANK = 3, 4
ROLES = ("kernel", "bias")


def for_gpu(graph: Graph) -> Graph:
    """The graph rewritten; loops stay as they are, for the GPU has none."""
    builder = GraphBuilder.from_graph(graph)
    read = frozenset(name for op in graph.ops for name in op.inputs)
    writer = Writer(builder, read.union(graph.outputs.values()))
    for op in graph.ops:
        if not RULES.get(type(op.operator), as_it_is)(op, writer):
            builder.ops.append(op)
    return builder.finish(graph.outputs)


@dataclass(frozen=True)
class Writer:
    """The graph under construction.

    Attributes:
        read: Tensors that an op reads, or that are outputs.
    """

    builder: GraphBuilder
    read: frozenset[str]

    def tensor(self, name: str) -> Tensor:
        return self.builder.tensor(name)

    def add(self, operator: Operator, inputs: list[str], name: str, like: Tensor) -> str:
        """Adds an op whose result is quantised as ``like``; returns its name."""
        result = self.builder.add(operator, inputs, name)
        tensor = self.builder.tensor(result).with_(quantization=like.quantization)
        self.builder.tensors[result] = tensor
        return result

    def last(self, op: Op, operator: Operator, *inputs: str) -> bool:
        """Adds what makes the op's own output."""
        self.builder.ops.append(replace(op, operator=operator, inputs=inputs))
        return True

    def reshaped(self, name: str, shape: tuple[int | None, ...], result: str) -> str:
        return self.add(reshape_to(shape), [name], result, self.tensor(name))


Rule = Callable[[Op, Writer], bool]
"""Writes the op in another way, if it applies."""


def as_it_is(op: Op, writer: Writer) -> bool:
    return False


def reshape_to(shape: tuple[int | None, ...]) -> ops.Reshape:
    return ops.Reshape(tuple(-1 if size is None else size for size in shape))


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


def convolution(op: Op, writer: Writer) -> bool:
    """Rules 5 and 6."""
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
    """Rule 7."""
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
    """Rule 8."""
    inputs: list[str] = []
    for i, name in enumerate(op.inputs):
        shape = writer.tensor(name).shape
        inputs.append(
            writer.reshaped(name, shape, f"{op.name}/copy_{i}") if name in inputs else name
        )
    return tuple(inputs) != op.inputs and writer.last(op, op.operator, *inputs)


def reverse(op: Op, writer: Writer) -> bool:
    """Rule 9, first half."""
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
    """Rule 9, second half."""
    assert isinstance(op.operator, ops.ArgMax)
    x = writer.tensor(op.inputs[0])
    axis, channels = normalized(op.operator.axis, x.rank), x.shape[-1]
    if axis != x.rank - 1 or x.rank == GREATEST_RANK or (channels or 0) % VECTOR == 0:
        return False
    rows = writer.reshaped(x.name, (*x.shape, 1), f"{op.name}/rows")
    found = writer.builder.add(replace(op.operator, axis=axis), [rows], f"{op.name}/found")
    return writer.last(op, reshape_to(writer.tensor(op.output).shape), found)


RULES: Mapping[type[Operator], Rule] = {
    ops.ElementwiseFunction: function,
    ops.LogSoftmax: log_softmax,
    ops.Pad: padding,
    ops.MirrorPad: padding,
    ops.StridedSlice: slice_of_mask,
    ops.Conv2D: convolution,
    ops.Split: split,
    ops.Reverse: reverse,
    ops.ArgMax: arg_max,
    **dict.fromkeys(
        (
            ops.BatchMatMul,
            ops.Div,
            ops.Equal,
            ops.FloorDiv,
            ops.FloorMod,
            ops.Greater,
            ops.GreaterEqual,
            ops.Less,
            ops.LessEqual,
            ops.Maximum,
            ops.Minimum,
            ops.NotEqual,
            ops.Pack,
            ops.Pow,
            ops.SquaredDifference,
            ops.Sub,
        ),
        copies,
    ),
}
