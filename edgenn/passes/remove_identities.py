"""Removes ops that give their input back, and reshapes and transposes that undo each other."""

from collections.abc import Callable

import numpy as np

from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import (
    Add,
    AveragePool2D,
    BroadcastTo,
    Cast,
    Concatenation,
    Div,
    ExpandDims,
    MaxPool2D,
    Mean,
    MirrorPad,
    Mul,
    Pack,
    Pad,
    Pow,
    ReduceMax,
    ReduceMin,
    ReduceProd,
    Reshape,
    ResizeBilinear,
    ResizeNearest,
    Reverse,
    Split,
    Squeeze,
    StridedSlice,
    Sub,
    Sum,
    Tile,
    Transpose,
)
from edgenn.ir.tensor import Shape, Tensor
from edgenn.passes.base import Pass
from edgenn.passes.reshapes import RESHAPES, reshape_before, reshape_to
from edgenn.passes.rewriter import Rewriter


class RemoveIdentities(Pass):
    """Removes what changes nothing.

    Rules:

    1. An op whose output is its input goes: reshape, broadcast, resize or cast to what the
       input is; pad by nothing; tile once; slice of everything; concat of one; split into one;
       mul and div by 1, add and sub of 0, power of 1; 1×1 pooling; reverse of size 1.
    2. A reshape, expand_dims or squeeze of another one reads what that one read; the two go
       where they undo each other.
    3. A transpose of a transpose becomes one.
    4. A transpose that moves only dimensions of size 1, a reduction over such dimensions, a
       pack of one and a slice that only drops them become a reshape.
    """

    name = "remove_identities"

    def rewrite(self, op: Op, graph: Rewriter) -> None:
        if is_identity(op, graph) and graph.bypass(op, data_input(op, graph)):
            return
        if len(op.outputs) > 1:
            return
        if is_reshape_in_disguise(op, graph):
            op = as_reshape(op, op.inputs[0], graph)
        if isinstance(op.operator, RESHAPES):
            merge_reshapes(op, graph)
        elif isinstance(op.operator, Transpose):
            merge_transposes(op, op.operator, graph)


# --- rule 1


def data_input(op: Op, graph: Rewriter) -> str:
    """The input that an identity hands on."""
    return next((name for name in op.inputs if not graph.tensors[name].is_constant), op.inputs[0])


def is_identity(op: Op, graph: Rewriter) -> bool:
    rule = IDENTITY_RULES.get(type(op.operator))
    if rule is None or len(op.outputs) > 1:
        return False
    x, y = graph.tensors[data_input(op, graph)], graph.tensors[op.output]
    return x.shape == y.shape and x.dtype == y.dtype and rule(op, x, graph)


def neutral(number: float, *, second_only: bool = False) -> Callable[[Op, Tensor, Rewriter], bool]:
    """A rule: the other operand is ``number`` everywhere, and nothing is fused."""

    def rule(op: Op, x: Tensor, graph: Rewriter) -> bool:
        if getattr(op.operator, "activation", Activation.NONE) is not Activation.NONE:
            return False
        position = 1 if op.inputs[0] == x.name else 0
        value = graph.value(op.inputs[position])
        return value is not None and bool(np.all(value == number)) and position >= second_only

    return rule


def always(op: Op, x: Tensor, graph: Rewriter) -> bool:
    """Same shape and dtype say it all."""
    return True


def is_empty_pad(op: Op, x: Tensor, graph: Rewriter) -> bool:
    assert isinstance(op.operator, Pad | MirrorPad)
    return not any(map(any, op.operator.paddings))


def is_full_slice(op: Op, x: Tensor, graph: Rewriter) -> bool:
    return isinstance(op.operator, StridedSlice) and takes_everything(op.operator, x.shape)


def is_single_tile(op: Op, x: Tensor, graph: Rewriter) -> bool:
    return isinstance(op.operator, Tile) and all(times == 1 for times in op.operator.multiples)


def is_single_pool(op: Op, x: Tensor, graph: Rewriter) -> bool:
    assert isinstance(op.operator, MaxPool2D | AveragePool2D)
    pool = op.operator
    return (pool.size, pool.strides, pool.activation) == ((1, 1), (1, 1), Activation.NONE)


def is_single_input(op: Op, x: Tensor, graph: Rewriter) -> bool:
    return len(op.inputs) == 1


def is_in_order(op: Op, x: Tensor, graph: Rewriter) -> bool:
    assert isinstance(op.operator, Transpose)
    return op.operator.permutation == tuple(range(x.rank))


def has_one_in_axes(op: Op, x: Tensor, graph: Rewriter) -> bool:
    assert isinstance(op.operator, Reverse)
    return all(x.shape[axis] == 1 for axis in op.operator.axes)


IDENTITY_RULES: dict[type, Callable[[Op, Tensor, Rewriter], bool]] = {
    Add: neutral(0),
    Sub: neutral(0, second_only=True),
    Mul: neutral(1),
    Div: neutral(1, second_only=True),
    Pow: neutral(1, second_only=True),
    AveragePool2D: is_single_pool,
    BroadcastTo: always,
    Cast: always,
    Concatenation: is_single_input,
    MaxPool2D: is_single_pool,
    MirrorPad: is_empty_pad,
    Pad: is_empty_pad,
    Reshape: always,
    ResizeBilinear: always,
    ResizeNearest: always,
    Reverse: has_one_in_axes,
    Split: always,
    StridedSlice: is_full_slice,
    Tile: is_single_tile,
    Transpose: is_in_order,
}
"""Whether an op with equal input and output type is the identity, by operator."""


def takes_everything(operator: StridedSlice, shape: Shape) -> bool:
    """Whether a slice leaves no value out and none out of order."""
    for cut, size in zip(operator.slices, shape, strict=True):
        if size is None:
            if cut.start not in (None, 0) or cut.stop is not None or cut.step != 1:
                return False
        elif cut.indices(size) != (0, size, 1):
            return False
    return True


# --- rule 4


def is_reshape_in_disguise(op: Op, graph: Rewriter) -> bool:
    shape = graph.tensors[op.inputs[0]].shape
    match op.operator:
        case Transpose(permutation=permutation):
            moved = [axis for axis in permutation if shape[axis] != 1]
            fits = moved == sorted(moved)
        case Mean() | Sum() | ReduceProd() | ReduceMax() | ReduceMin() as operator:
            fits = all(shape[axis] == 1 for axis in operator.axes)
        case Pack():
            fits = len(op.inputs) == 1
        case StridedSlice() as operator:
            fits = bool(operator.squeezed) and takes_everything(operator, shape)
        case _:
            fits = False
    return fits and open_dimensions(graph.tensors[op.output].shape) <= 1


def as_reshape(op: Op, source: str, graph: Rewriter) -> Op:
    """Puts a reshape of ``source`` in the place of ``op``."""
    reshape = graph.make(reshape_to(graph.tensors[op.output].shape), [source], op.output)
    graph.replace(op, reshape)
    return reshape


def open_dimensions(shape: Shape) -> int:
    return shape.count(None)


# --- rules 2 and 3


def merge_reshapes(op: Op, graph: Rewriter) -> None:
    """Rule 2."""
    inner = reshape_before(op.inputs[0], graph)
    if inner is None:
        return
    source = inner.inputs[0]
    before, after = graph.tensors[source].shape, graph.tensors[op.output].shape
    if before == after and keeps_open_order(before, op, inner, graph):
        if not graph.bypass(op, source):
            return
    elif open_dimensions(after) <= 1:
        as_reshape(op, source, graph)
    else:
        return
    graph.hand_on_name(inner.output, source)


def keeps_open_order(shape: Shape, op: Op, inner: Op, graph: Rewriter) -> bool:
    """Whether equal shapes mean equal tensors: sizes that are open may differ at run time."""
    if open_dimensions(shape) <= 1:
        return True
    match inner.operator, op.operator:
        case ExpandDims(), Squeeze(axes=axes):
            added = graph.tensors[inner.output].shape
            return all(added[axis] == 1 for axis in axes)
        case Squeeze(axes=axes), ExpandDims():
            return all(shape[axis] == 1 for axis in axes)
    return False


def merge_transposes(op: Op, operator: Transpose, graph: Rewriter) -> None:
    """Rule 3."""
    inner = graph.producer(op.inputs[0])
    if inner is None or not isinstance(inner.operator, Transpose):
        return
    permutation = tuple(inner.operator.permutation[axis] for axis in operator.permutation)
    if permutation == tuple(range(len(permutation))) and graph.bypass(op, inner.inputs[0]):
        return
    graph.replace(op, graph.make(Transpose(permutation), [inner.inputs[0]], op.output))
