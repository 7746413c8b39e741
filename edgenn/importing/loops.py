"""Loops over time, told from other loops by what they do with all that they carry.

The form is that of ``export/tflite/emitters/scan.py``: a number counts steps from 0 to the length
of the sequences; sequences are read at that place and handed on as they are; stacked outputs are
written there and not read; whatever else is carried is a state.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from edgenn.importing.context import Context
from edgenn.importing.loop_body import Body, Length, length, places_from_the_end
from edgenn.ir import ops
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops.scan import TIME
from edgenn.ir.tensor import Tensor


def as_scan(op: Op, context: Context) -> Op | None:
    """A WHILE as a loop over time; ``None`` where it is another loop.

    Args:
        op: A ``While``; its outputs are the file's.
    """
    loop = op.operator
    assert isinstance(loop, ops.While)
    counter = counted(loop.condition)
    if counter is None:
        return None
    reader = Body(loop.body, counter, places_from_the_end(loop.body, counter))
    kinds = [reader.kind(index) for index in range(len(op.inputs))]
    if not reader.counts() or not starts_at_zero(context, op.inputs[counter]):
        return None
    chosen = {what: [i for i, kind in enumerate(kinds) if kind == what] for what in set(kinds)}
    sequences, states = chosen.get("sequence", []), chosen.get("state", [])
    stacks = chosen.get("stack", [])
    unread = [op.outputs[i] for i in (counter, *sequences)]
    if not sequences or any(context.is_read(name) for name in unread):
        return None
    sized = {i: context.tensor(op.inputs[i]) for i in (*sequences, *stacks)}
    if not all(is_length(end, sized, sequences) for end in [end_of(loop), *reader.ends]):
        return None
    steps = [(i, name) for i in sequences for name in reader.steps(i)]
    cell = reader.cell([name for _, name in steps], states, stacks)
    if cell is None:
        return None
    initial = [op.inputs[i] for i in states]
    zero = all(is_zero(context, name) for name in initial)
    operator = ops.Scan(cell, len(steps), zero, reverse=reader.is_reversed)
    inputs = [*(op.inputs[i] for i, _ in steps), *([] if zero else initial)]
    outputs = tuple(op.outputs[i] for i in (*states, *stacks))
    return Op(outputs[0], operator, tuple(inputs), outputs)


def counted(condition: Graph) -> int | None:
    """Which of the carried values is compared with the number of steps."""
    (name,) = condition.outputs.values()
    less = condition.producers.get(name)
    names = list(condition.inputs.values())
    if less is None or not isinstance(less.operator, ops.Less) or less.inputs[0] not in names:
        return None
    return names.index(less.inputs[0])


def end_of(loop: ops.While) -> Length | None:
    """What the number of the step is compared with."""
    condition = loop.condition
    less = condition.producers[next(iter(condition.outputs.values()))]
    return length(condition, less.inputs[1])


def is_length(end: Length | None, sized: Mapping[int, Tensor], sequences: Sequence[int]) -> bool:
    """Whether a number of steps is that of all sequences and stacks.

    Args:
        sized: The sequences and stacks among the carried values.
    """
    if end is None or any(tensor.rank <= TIME for tensor in sized.values()):
        return False
    sizes = {tensor.shape[TIME] for tensor in sized.values()}
    return sizes == {end.number} if end.carried is None else end.carried in sequences


def starts_at_zero(context: Context, name: str) -> bool:
    data = context.tensor(name).data
    return data is not None and data.size == 1 and not data.any()


def is_zero(context: Context, name: str) -> bool:
    """Whether a tensor of the graph so far stands for zeros, as the writer makes them."""
    tensor = context.tensor(name)
    if tensor.data is not None:
        zero_point = 0 if tensor.quantization is None else tensor.quantization.zero_point
        return bool(np.all(tensor.data == zero_point))
    producer = context.producer(name)
    if producer is None:
        return False
    if isinstance(producer.operator, ops.Quantize | ops.Cast):
        return is_zero(context, producer.inputs[0])
    if isinstance(producer.operator, ops.Mul):
        factors = [context.tensor(n) for n in producer.inputs]
        return any(t.data is not None and not t.real().any() for t in factors)
    return False
