"""Operators that move values: one builtin each, most with an attribute as a further input."""

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.builtins import Builtin, Builtins, emit_builtin
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.registry import emitter
from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops.reduction import normalized
from edgenn.ir.tensor import Tensor

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
    ops.Squeeze: Builtin("SQUEEZE", schema.SqueezeOptionsT, _squeeze),
    ops.Concatenation: Builtin("CONCATENATION", schema.ConcatenationOptionsT, _axis),
    ops.Gather: Builtin("GATHER", schema.GatherOptionsT, _axis),
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
    """RESHAPE where it can say the shape: TFLite Micro's EXPAND_DIMS does not know all dtypes."""
    assert isinstance(op.operator, ops.ExpandDims)
    shape = context.tensor(op.output).shape
    if shape.count(None) > 1:
        axis = int32(op, "axis", op.operator.axis, context)
        emit_builtin(Builtin("EXPAND_DIMS", schema.ExpandDimsOptionsT), op, context, axis)
        return
    sizes = int32(op, "shape", [-1 if size is None else size for size in shape], context)
    emit_builtin(Builtin("RESHAPE", schema.ReshapeOptionsT), op, context, sizes)


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


@emitter(ops.StridedSlice)
def strided_slice(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, ops.StridedSlice)
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
    inputs = [*context.indices(op.inputs), *bounds]
    context.emit("STRIDED_SLICE", inputs, context.indices(op.outputs), options)


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
    """The fill value in the output's dtype and, as the kernel demands, its quantisation."""
    if output.quantization is None:
        data = np.array([operator.value], output.dtype)
    else:
        data = operator.stored_value(output.quantization, output.dtype).reshape(1)
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
