"""Moves reshapes down past element-wise ops, towards reshapes that undo them.

A 1-D convolution is a 2-D one between a reshape to height 1 and a reshape back. An activation
or a batch normalisation between two of them hides that the reshapes cancel, and keeps both
from being folded into the convolution.
"""

from dataclasses import replace

from edgenn.ir.graph import Op
from edgenn.ir.ops import Cast, LogSoftmax, Pad, Prelu, Softmax
from edgenn.ir.ops.elementwise import Binary, Unary
from edgenn.passes.affine import channel_vector
from edgenn.passes.base import Pass
from edgenn.passes.reshapes import kept_dimensions, reshape_before, reshape_to
from edgenn.passes.rewriter import Rewriter

ALONG_AXIS = Softmax | LogSoftmax
"""Unary operators that mix values along the last axis."""
MAX_RANK = 4
"""Kernels and delegates know element-wise ops up to this rank best."""


class MoveReshapes(Pass):
    """Moves reshapes: reshape, expand_dims and squeeze.

    Rules:

    1. ``f(reshape(x))`` → ``reshape(f(x))`` for unary element-wise f, and for binary ones with a
       scalar constant, or a per-channel one where the reshape keeps the last axis.
    2. ``f(reshape(a), reshape(b))`` → ``reshape(f(a, b))`` where a and b have one shape.
    3. ``pad(reshape(x))`` → ``reshape(pad(x))`` where the reshape only drops dimensions of size 1.

    None adds an op: the reshapes that move are read by ``f`` alone (rule 2: one of them).
    """

    name = "move_reshapes"

    def rewrite(self, op: Op, graph: Rewriter) -> None:
        operator = op.operator
        if isinstance(operator, Unary | Cast) and not isinstance(operator, ALONG_AXIS):
            move_past(op, [0], graph)
        elif isinstance(operator, Binary | Prelu):
            move_past_binary(op, graph)
        elif isinstance(operator, Pad):
            move_past_pad(op, operator, graph)


def move_past(op: Op, positions: list[int], graph: Rewriter) -> None:
    """Lets ``op`` read what the reshapes at these inputs read, and reshapes its result."""
    found = [reshape_before(op.inputs[position], graph) for position in positions]
    reshapes = [reshape for reshape in found if reshape is not None]
    first = reshapes[0] if len(reshapes) == len(positions) else None
    if first is None or not any(graph.is_single_use(op.inputs[i]) for i in positions):
        return
    if graph.tensors[first.inputs[0]].rank > MAX_RANK:
        return
    inputs = list(op.inputs)
    for position, reshape in zip(positions, reshapes, strict=True):
        inputs[position] = reshape.inputs[0]
    moved = graph.make(op.operator, inputs, graph.unique(f"{op.output}/unshaped"))
    graph.replace(op, moved, graph.make(first.operator, moved.outputs, op.output))
    for reshape in reshapes:
        graph.hand_on_name(reshape.output, reshape.inputs[0])


def move_past_binary(op: Op, graph: Rewriter) -> None:
    constants = [graph.value(name) for name in op.inputs]
    position = 0 if constants[0] is None else 1
    reshape = reshape_before(op.inputs[position], graph)
    if reshape is None or constants[position] is not None:
        return
    before = graph.tensors[reshape.inputs[0]]
    after = graph.tensors[op.inputs[position]]
    if graph.tensors[op.output].shape != after.shape:
        return
    constant = constants[1 - position]
    if constant is not None:
        vector = channel_vector(constant, after.shape)
        if vector is not None and channel_vector(constant, before.shape) is not None:
            move_past(op, [position], graph)
        return
    other = reshape_before(op.inputs[1], graph)
    if (
        other is not None
        and graph.tensors[other.inputs[0]].shape == before.shape
        and graph.tensors[op.inputs[1]].shape == after.shape
    ):
        move_past(op, [0, 1], graph)


def move_past_pad(op: Op, operator: Pad, graph: Rewriter) -> None:
    """Rule 3."""
    reshape = reshape_before(op.inputs[0], graph)
    if reshape is None or not graph.is_single_use(op.inputs[0]):
        return
    before = graph.tensors[reshape.inputs[0]].shape
    kept = kept_dimensions(before, graph.tensors[op.inputs[0]].shape)
    if kept is None or len(before) > MAX_RANK:
        return
    paddings = [(0, 0)] * len(before)
    for axis, amounts in zip(kept, operator.paddings, strict=True):
        paddings[axis] = amounts
    wider = replace(operator, paddings=tuple(paddings))
    moved = graph.make(wider, reshape.inputs, graph.unique(f"{op.output}/unshaped"))
    back = reshape_to(graph.tensors[op.output].shape)
    graph.replace(op, moved, graph.make(back, moved.outputs, op.output))
    graph.hand_on_name(reshape.output, reshape.inputs[0])
