"""Operators that move values: one builtin each, most with an attribute as a further input."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.builtins import Builtin, Builtins, emit_builtin, require_integer_kernel
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops.reduction import normalized
from edgenn.ir.tensor import Shape, Tensor

MIRROR_MODES: dict[str, int] = {
    "reflect": schema.MirrorPadMode.REFLECT,
    "symmetric": schema.MirrorPadMode.SYMMETRIC,
}
MAX_RANKS: dict[type[Operator], int] = {
    ops.Pad: 5,
    ops.Concatenation: 6,
    ops.Split: 6,
    ops.Transpose: 8,
    ops.Reverse: 8,
    ops.Squeeze: 8,
}
"""The highest rank that both LiteRT's own kernels and XNNPACK's run; others have no limit."""


def _squeeze(options: Any, operator: Any) -> None:
    options.squeezeDims = list(operator.axes)


def _axis(options: Any, operator: Any) -> None:
    options.axis = operator.axis


def _mode(options: Any, operator: Any) -> None:
    options.mode = MIRROR_MODES[operator.mode]


PLAIN: Builtins = {
    ops.Concatenation: Builtin("CONCATENATION", schema.ConcatenationOptionsT, _axis),
}
"""All attributes are options."""

WITH_ATTRIBUTE: dict[type[Operator], tuple[Builtin, Callable[[Any], Any]]] = {
    ops.Reshape: (Builtin("RESHAPE", schema.ReshapeOptionsT), lambda o: o.shape),
    ops.Transpose: (Builtin("TRANSPOSE", schema.TransposeOptionsT), lambda o: o.permutation),
    ops.MirrorPad: (
        Builtin("MIRROR_PAD", schema.MirrorPadOptionsT, _mode),
        lambda o: o.paddings,
    ),
    ops.Tile: (Builtin("TILE", schema.TileOptionsT), lambda o: o.multiples),
    ops.BroadcastTo: (Builtin("BROADCAST_TO", schema.BroadcastToOptionsT), lambda o: o.shape),
}
"""One attribute is an int32 tensor, the last input."""


def int32(op: Op, name: str, values: Any, context: Context) -> int:
    return context.constant(f"{op.name}/{name}", np.asarray(values, np.int32))


def require_rank(op: Op, context: Context) -> None:
    rank, limit = context.tensor(op.inputs[0]).rank, MAX_RANKS.get(type(op.operator))
    if limit is not None and rank > limit:
        raise UnsupportedError(
            f"{op.name}: LiteRT's {op.kind!r} takes tensors up to rank {limit}, not {rank}",
            hint="merge dimensions with a reshape before the op",
        )


@emitter(*PLAIN)
def plain(op: Op, context: Context) -> None:
    require_rank(op, context)
    emit_builtin(PLAIN[type(op.operator)], op, context)


@emitter(*WITH_ATTRIBUTE)
def with_attribute(op: Op, context: Context) -> None:
    require_rank(op, context)
    builtin, attribute = WITH_ATTRIBUTE[type(op.operator)]
    values = attribute(op.operator)
    emit_builtin(builtin, op, context, int32(op, "attribute", values, context))


@emitter(ops.ExpandDims)
def expand_dims(op: Op, context: Context) -> None:
    """RESHAPE where it can say the shape: TFLite Micro's EXPAND_DIMS does not know all dtypes,
    and the GPU has none.
    """
    assert isinstance(op.operator, ops.ExpandDims)
    require_integer_kernel(op, context)
    if can_be_said(context.tensor(op.output).shape):
        reshape(op, context, context.index(op.inputs[0]), context.index(op.output))
        return
    axis = int32(op, "axis", op.operator.axis, context)
    emit_builtin(Builtin("EXPAND_DIMS", schema.ExpandDimsOptionsT), op, context, axis)


@emitter(ops.Squeeze)
def squeeze(op: Op, context: Context) -> None:
    """RESHAPE where it can say the shape: the GPU has no SQUEEZE."""
    require_rank(op, context)
    require_integer_kernel(op, context)
    if can_be_said(context.tensor(op.output).shape):
        reshape(op, context, context.index(op.inputs[0]), context.index(op.output))
        return
    emit_builtin(Builtin("SQUEEZE", schema.SqueezeOptionsT, _squeeze), op, context)


def can_be_said(shape: Shape) -> bool:
    """Whether RESHAPE can make this shape: it finds out one size by itself."""
    return shape.count(None) <= 1


def reshape(op: Op, context: Context, x: int, y: int) -> None:
    """Writes tensor ``x`` in the shape of tensor ``y``."""
    sizes = [-1 if size is None else size for size in context.written(y).shape]
    shape = int32(op, "shape", sizes, context)
    context.emit("RESHAPE", [x, shape], [y], schema.ReshapeOptionsT())


@emitter(ops.Pack)
def pack(op: Op, context: Context) -> None:
    def fill(options: Any, operator: Any) -> None:
        options.valuesCount = len(op.inputs)
        options.axis = operator.axis

    emit_builtin(Builtin("PACK", schema.PackOptionsT, fill), op, context)


@emitter(ops.Split)
def split(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Split)
    require_rank(op, context)
    axis = int32(op, "axis", operator.axis, context)
    x = context.indices(op.inputs)
    outputs = context.indices(op.outputs)
    if len(set(operator.sizes)) == 1:
        options = schema.SplitOptionsT()
        options.numSplits = len(operator.sizes)
        context.emit("SPLIT", [axis, *x], outputs, options)
    else:
        options = schema.SplitVOptionsT()
        options.numSplits = len(operator.sizes)
        sizes = int32(op, "sizes", operator.sizes, context)
        context.emit("SPLIT_V", [*x, sizes, axis], outputs, options)


@emitter(ops.Gather)
def gather(op: Op, context: Context) -> None:
    """Indices of several dimensions are laid out in one: the GPU takes no others."""
    builtin = Builtin("GATHER", schema.GatherOptionsT, _axis)
    x, indices = (context.tensor(name) for name in op.inputs)
    result = context.tensor(op.output)
    if indices.rank <= 1 or not (can_be_said(indices.shape) and can_be_said(result.shape)):
        emit_builtin(builtin, op, context)
        return
    operator = op.operator
    assert isinstance(operator, ops.Gather)
    axis = normalized(operator.axis, x.rank)
    sizes = [size for size in indices.shape if size is not None]
    many = math.prod(sizes) if len(sizes) == indices.rank else None
    shape = (*x.shape[:axis], many, *x.shape[axis + 1 :])
    require_integer_kernel(op, context)
    if indices.data is not None:
        flat = context.constant(f"{op.name}/indices", indices.data.reshape(-1))
    else:
        flat = context.temporary(f"{op.name}/indices", (many,), indices.dtype)
        reshape(op, context, context.index(indices.name), flat)
    rows = context.temporary(f"{op.name}/rows", shape, result.dtype, result.quantization)
    options = schema.GatherOptionsT()
    options.axis = axis
    context.emit("GATHER", [context.index(x.name), flat], [rows], options)
    reshape(op, context, rows, context.index(op.output))


@emitter(ops.StridedSlice)
def strided_slice(op: Op, context: Context) -> None:
    """Dimensions that fall away are left to a RESHAPE: the GPU and XNNPACK do not know the mask."""
    operator = op.operator
    assert isinstance(operator, ops.StridedSlice)
    x, y = context.tensor(op.inputs[0]), context.tensor(op.output)
    if not operator.squeezed or not can_be_said(y.shape):
        slice_(op, operator, context, context.index(op.output))
        return
    whole = replace(operator, squeezed=())
    (type_,) = whole.infer([x])
    kept = context.temporary(f"{op.name}/kept", type_.shape, y.dtype, y.quantization)
    slice_(op, whole, context, kept)
    reshape(op, context, kept, context.index(op.output))


def slice_(op: Op, operator: ops.StridedSlice, context: Context, y: int) -> None:
    """Writes a STRIDED_SLICE of the op's input into tensor ``y``."""
    options = schema.StridedSliceOptionsT()
    options.beginMask = _mask(bound is None for bound in operator.begin)
    options.endMask = _mask(bound is None for bound in operator.end)
    options.shrinkAxisMask = _mask(i in operator.squeezed for i in range(len(operator.begin)))
    bounds = [
        int32(op, name, [bound or 0 for bound in values], context)
        for name, values in (
            ("begin", operator.begin),
            ("end", operator.end),
            ("strides", operator.strides),
        )
    ]
    context.emit("STRIDED_SLICE", [*context.indices(op.inputs), *bounds], [y], options)


def _mask(bits: Any) -> int:
    """Bit ``i`` set where item ``i`` is true."""
    return sum(1 << i for i, bit in enumerate(bits) if bit)


@emitter(ops.Pad)
def pad(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.Pad)
    require_rank(op, context)
    paddings = int32(op, "paddings", operator.paddings, context)
    if operator.value == 0:  # PAD fills with the stored integer of 0
        emit_builtin(Builtin("PAD", schema.PadOptionsT), op, context, paddings)
        return
    value = context.add_tensor(pad_value(op, operator, context.tensor(op.output)))
    emit_builtin(Builtin("PADV2", schema.PadV2OptionsT), op, context, paddings, value)


def pad_value(op: Op, operator: ops.Pad, output: Tensor) -> Tensor:
    """The fill value in the output's dtype and, as the kernel demands, its quantisation.

    A scalar: TensorFlow's own dialect, which TOSA's converter reads a file with, has no other.
    """
    if output.quantization is None:
        data = np.array(operator.value, output.dtype)
    else:
        data = operator.stored_value(output.quantization, output.dtype).reshape(())
    return Tensor.constant(f"{op.name}/value", data, output.quantization)


@emitter(ops.Reverse)
def reverse(op: Op, context: Context) -> None:
    """One REVERSE_V2 for each run of neighbouring axes: the kernel takes no others."""
    operator = op.operator
    assert isinstance(operator, ops.Reverse)
    require_rank(op, context)
    (current,), (output,) = context.indices(op.inputs), context.indices(op.outputs)
    result = context.tensor(op.output)
    runs = neighbours(operator.axes, result.rank)
    for i, axes in enumerate(runs):
        last = i == len(runs) - 1
        name = f"{op.name}/reversed_{i}"
        to = output if last else context.add_tensor(result.with_(name=name))
        inputs = [current, int32(op, "axes", axes, context)]
        context.emit("REVERSE_V2", inputs, [to], schema.ReverseV2OptionsT())
        current = to


def neighbours(axes: tuple[int, ...], rank: int) -> list[list[int]]:
    """The axes in order, cut where a number is left out."""
    runs: list[list[int]] = []
    for axis in sorted(normalized(axis, rank) for axis in axes):
        if runs and runs[-1][-1] == axis - 1:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    return runs
