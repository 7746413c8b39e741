"""Loops over time: WHILE, whose condition and body are subgraphs of their own.

Carried from step to step, in this order: the step's number, the states, the stacked outputs,
the sequences. The body reads one step of each sequence with GATHER and puts its results into the
stacked outputs with DYNAMIC_UPDATE_SLICE. Of dtypes that TensorFlow Lite Micro does not gather it
reads a step with SLICE, where all sizes are fixed, as they are for microcontrollers.

Every shape follows from the inputs' without running an op: a tensor of zeros with an open
batch, say, is a product with a slice of the input. LiteRT would otherwise allocate
the loop's tensors anew at each step.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.context import TENSOR_TYPES, Context
from edgenn.export.tflite.registry import emitter, write_ops
from edgenn.ir.graph import Op
from edgenn.ir.ops.scan import TIME, Scan, zeros
from edgenn.ir.tensor import Shape, Tensor

GATHERED_EVERYWHERE = ("float32", "int8")


@emitter(Scan)
def scan(op: Op, context: Context) -> None:
    writer = LoopWriter(op, context)
    options = schema.WhileOptionsT()
    inputs = [
        writer.first_step(),
        *writer.initial_states(),
        *writer.empty_stacks(),
        *context.indices(op.inputs[: writer.scan.sequences]),
    ]
    options.condSubgraphIndex = writer.write_condition()
    options.bodySubgraphIndex = writer.write_body()
    step = context.temporary(f"{op.name}/step", (), "int32")
    spent = [
        context.add_tensor(tensor.with_(name=f"{tensor.name}/after", data=None))
        for tensor in writer.sequences
    ]
    outputs = [step, *context.indices(op.outputs), *spent]
    context.emit("WHILE", inputs, outputs, options)


class LoopWriter:
    """The pieces of one loop."""

    def __init__(self, op: Op, context: Context) -> None:
        assert isinstance(op.operator, Scan)
        self.op = op
        self.scan = op.operator
        self.context = context
        self.sequences = [context.tensor(name) for name in op.inputs[: self.scan.sequences]]
        results = [context.tensor(name) for name in op.outputs]
        self.stacks = results[self.scan.states :]
        batch = self.sequences[0].shape[0]
        self.states = [
            tensor.with_(shape=(batch, *tensor.shape[1:])) for tensor in self.scan.state_tensors
        ]

    # outside

    def first_step(self) -> int:
        return self.context.constant("first_step", np.array(0, np.int32))

    def initial_states(self) -> list[int]:
        if not self.scan.zero_state:
            return self.context.indices(self.op.inputs[self.scan.sequences :])
        return [self.zeros(tensor, f"{tensor.name}/initial") for tensor in self.states]

    def empty_stacks(self) -> list[int]:
        """What the stacked outputs are before the first step; all of it is written over."""
        return [self.zeros(tensor, f"{tensor.name}/empty") for tensor in self.stacks]

    def zeros(self, tensor: Tensor, name: str) -> int:
        """Zeros of a tensor's shape, whose open sizes are those of the first sequence."""
        if None not in tensor.shape:
            assert tensor.shape[0] is not None
            return self.context.add_tensor(
                tensor.with_(name=name, data=zeros(tensor, tensor.shape[0]))
            )
        return open_zeros(self.context, self.sequences[0], tensor, name)

    # inside

    def subgraph(self, name: str) -> tuple[Context, list[int]]:
        """A subgraph that takes what the loop carries; the indices of that."""
        cell = self.scan.cell
        inner = Context(cell, f"{self.op.name}/{name}", self.context.file)
        step = inner.temporary("step", (), "int32")
        carried = [
            step,
            *(inner.add_tensor(t.with_(name=f"{t.name}/carried")) for t in self.states),
            *(inner.add_tensor(t.with_(name=f"{t.name}/carried")) for t in self.stacks),
            *(inner.add_tensor(t.with_(name=f"{t.name}/carried")) for t in self.sequences),
        ]
        inner.subgraph.inputs = carried
        return inner, carried

    def write_condition(self) -> int:
        """``step < number of steps``; the number of its subgraph."""
        inner, carried = self.subgraph("condition")
        end = number_of_steps(inner, carried[-len(self.sequences)], self.sequences[0])
        result = inner.temporary("goes_on", (), "bool")
        inner.emit("LESS", [carried[0], end], [result], schema.LessOptionsT())
        inner.subgraph.outputs = [result]
        return inner.number

    def write_body(self) -> int:
        """One step; the number of its subgraph."""
        inner, carried = self.subgraph("body")
        step, *rest = carried
        count = len(self.states)
        states, rest = rest[:count], rest[count:]
        stacks, sequences = rest[: len(self.stacks)], rest[len(self.stacks) :]
        at = self.position(inner, step, sequences[0])
        names = list(self.scan.cell.inputs.values())
        for name, sequence in zip(names, sequences, strict=False):
            self.read_step(inner, name, sequence, at)
        for name, state in zip(names[len(sequences) :], states, strict=True):
            inner.bind(name, state)
        write_ops(inner)
        results = inner.indices(tuple(self.scan.cell.outputs.values()))
        written = [
            self.update(inner, stack, result, at, tensor)
            for stack, result, tensor in zip(stacks, results[count:], self.stacks, strict=True)
        ]
        following = inner.temporary("following_step", (), "int32")
        one = inner.constant("one", np.array(1, np.int32))
        inner.emit("ADD", [step, one], [following], schema.AddOptionsT())
        inner.subgraph.outputs = [following, *results[:count], *written, *sequences]
        return inner.number

    def position(self, inner: Context, step: int, sequence: int) -> int:
        """Where in the sequences the step is."""
        if not self.scan.reverse:
            return step
        end = number_of_steps(inner, sequence, self.sequences[0])
        left = inner.temporary("steps_left", (), "int32")
        inner.emit("SUB", [end, step], [left], schema.SubOptionsT())
        position = inner.temporary("position", (), "int32")
        one = inner.constant("one", np.array(1, np.int32))
        inner.emit("SUB", [left, one], [position], schema.SubOptionsT())
        return position

    def read_step(self, inner: Context, name: str, sequence: int, at: int) -> None:
        tensor = inner.written(sequence)
        if tensor.dtype not in GATHERED_EVERYWHERE and None not in tensor.shape:
            self.slice_step(inner, name, sequence, at)
            return
        options = schema.GatherOptionsT()
        options.axis = TIME
        inner.emit("GATHER", [sequence, at], [inner.index(name)], options)

    def slice_step(self, inner: Context, name: str, sequence: int, at: int) -> None:
        tensor = inner.written(sequence)
        sizes = (tensor.shape[0], 1, *tensor.shape[2:])
        size = inner.constant(f"{name}/size", np.array(sizes, np.int32))
        start = self.start(inner, name, tensor.rank, at)
        row = inner.temporary(f"{name}/row", sizes, tensor.dtype, tensor.quantization)
        inner.emit("SLICE", [sequence, start, size], [row], schema.SliceOptionsT())
        shape = inner.constant(f"{name}/shape", np.array([sizes[0], *sizes[2:]], np.int32))
        inner.emit("RESHAPE", [row, shape], [inner.index(name)], schema.ReshapeOptionsT())

    def start(self, inner: Context, name: str, rank: int, at: int) -> int:
        """Where a step begins along each axis."""
        start = inner.temporary(f"{name}/start", (rank,), "int32")
        zero = inner.constant("zero", np.array(0, np.int32))
        pack = schema.PackOptionsT()
        pack.valuesCount, pack.axis = rank, 0
        places = [at if axis == TIME else zero for axis in range(rank)]
        inner.emit("PACK", places, [start], pack)
        return start

    def update(self, inner: Context, stack: int, result: int, at: int, tensor: Tensor) -> int:
        """The stacked output with this step's result in it."""
        row = inner.temporary(
            f"{tensor.name}/row",
            (tensor.shape[0], 1, *tensor.shape[2:]),
            tensor.dtype,
            tensor.quantization,
        )
        axis = inner.constant("time_axis", np.array(TIME, np.int32))
        inner.emit("EXPAND_DIMS", [result, axis], [row], schema.ExpandDimsOptionsT())
        start = self.start(inner, tensor.name, tensor.rank, at)
        written = inner.add_tensor(tensor.with_(name=f"{tensor.name}/written"))
        inner.emit("DYNAMIC_UPDATE_SLICE", [stack, row, start], [written])
        return written


def number_of_steps(inner: Context, sequence: int, tensor: Tensor) -> int:
    """The length of the time axis, a scalar."""
    if tensor.shape[TIME] is not None:
        return inner.constant("steps", np.array(tensor.shape[TIME], np.int32))
    options = schema.ShapeOptionsT()
    options.outType = schema.TensorType.INT32
    shape = inner.temporary("sequence_shape", (tensor.rank,), "int32")
    inner.emit("SHAPE", [sequence], [shape], options)
    steps = inner.temporary("steps", (), "int32")
    axis = inner.constant("time_axis", np.array(TIME, np.int32))
    inner.emit("GATHER", [shape, axis], [steps], schema.GatherOptionsT())
    return steps


def open_zeros(context: Context, source: Tensor, tensor: Tensor, name: str) -> int:
    """Zeros as a product with a slice of ``source``, from which open sizes come.

    The first axes of both are the batch and, in a stacked output, time.
    """
    shared = max(axis for axis, size in enumerate(tensor.shape) if size is None) + 1
    lifted: Shape = (*source.shape[:shared], *[1] * (tensor.rank - shared))
    column = in_shape(context, slice_of(context, source, shared, name), lifted, name)
    sizes = [1 if axis < shared else size or 1 for axis, size in enumerate(tensor.shape)]
    nothing = context.constant(f"{name}/zeros", np.zeros(sizes, np.float32))
    is_real = tensor.dtype == "float32"
    result = context.temporary(name if is_real else f"{name}/real", tensor.shape, "float32")
    context.emit("MUL", [column, nothing], [result], schema.MulOptionsT())
    return result if is_real else converted(context, result, tensor.with_(name=name))


def slice_of(context: Context, source: Tensor, shared: int, name: str) -> int:
    """The first value along all axes from ``shared`` on, in float32: ``(B, …, 1, …)``."""
    rank = source.rank
    options = schema.StridedSliceOptionsT()
    options.beginMask = options.endMask = (1 << shared) - 1
    begin = context.constant("slice_begin", np.zeros(rank, np.int32))
    ones = context.constant("slice_end", np.ones(rank, np.int32))
    shape = (*source.shape[:shared], *[1] * (rank - shared))
    cut = context.temporary(f"{name}/slice", shape, source.dtype, source.quantization)
    index = context.index(source.name)
    context.emit("STRIDED_SLICE", [index, begin, ones, ones], [cut], options)
    if source.dtype == "float32":
        return cut
    return converted(context, cut, Tensor(f"{name}/number", shape))


def in_shape(context: Context, x: int, shape: Shape, name: str) -> int:
    """A slice with as many axes of size 1 behind as the shape has."""
    sizes = np.array([-1 if size is None else size for size in shape], np.int32)
    if (sizes == -1).sum() > 1:  # a reshape takes one open size
        return with_rank(context, x, shape, name)
    result = context.temporary(f"{name}/column", shape, "float32")
    new = context.constant("column_shape", sizes)
    context.emit("RESHAPE", [x, new], [result], schema.ReshapeOptionsT())
    return result


def with_rank(context: Context, x: int, shape: Shape, name: str) -> int:
    """A float tensor with axes of size 1 behind more or fewer, by ops that take any open sizes."""
    rank = len(context.written(x).shape)
    if rank > len(shape):
        options = schema.SqueezeOptionsT()
        options.squeezeDims = list(range(len(shape), rank))
        result = context.temporary(f"{name}/column", shape, "float32")
        context.emit("SQUEEZE", [x], [result], options)
        return result
    for size in range(rank + 1, len(shape) + 1):
        axis = context.constant("last_axis", np.array(size - 1, np.int32))
        result = context.temporary(f"{name}/column_{size}", shape[:size], "float32")
        context.emit("EXPAND_DIMS", [x, axis], [result], schema.ExpandDimsOptionsT())
        x = result
    return x


def converted(context: Context, x: int, tensor: Tensor) -> int:
    """Zeros in another dtype: quantised where the tensor is."""
    result = context.add_tensor(tensor)
    if tensor.quantization is not None:
        context.emit("QUANTIZE", [x], [result], schema.QuantizeOptionsT())
        return result
    options = schema.CastOptionsT()
    source = context.written(x)
    options.inDataType, options.outDataType = TENSOR_TYPES[source.dtype], TENSOR_TYPES[tensor.dtype]
    context.emit("CAST", [x], [result], options)
    return result
