"""Arithmetic of two tensors, or of one with constants, which hls4ml calls batch normalisation."""

from math import prod
from typing import Any

import numpy as np

from edgenn.export.hls4ml.context import Context
from edgenn.export.hls4ml.precision import type_of
from edgenn.export.hls4ml.registry import emitter, refused
from edgenn.ir.fixed_format import FixedFormat
from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Add, Div, Maximum, Minimum, Mul, Neg, Sub
from edgenn.ir.ops.elementwise import Arithmetic
from edgenn.ir.tensor import Array

MERGES = {Add: "add", Sub: "subtract", Mul: "multiply", Maximum: "maximum", Minimum: "minimum"}


@emitter(Add, Sub, Mul, Div, Maximum, Minimum)
def binary(op: Op, context: Context) -> None:
    constants = [context.tensor(name).is_constant for name in op.inputs]
    if any(constants):
        with_constant(op, context, constants.index(True))
        return
    if isinstance(op.operator, Div):
        raise refused(op, "hls4ml divides by no computed tensor")
    a, b = (suffix(context.shape(name)) for name in op.inputs)
    shorter, longer = sorted([a, b], key=len)
    if longer[len(longer) - len(shorter) :] != shorter:
        raise refused(op, f"hls4ml does not broadcast {list(a)} and {list(b)}")
    attributes = {
        "op": MERGES[type(op.operator)],
        "output_shape": list(context.shape(op.output)),
        "same_shapes": a == b,
    }
    add(op, context, "Merge", op.inputs, attributes)


@emitter(Neg)
def negate(op: Op, context: Context) -> None:
    scaled(op, context, op.inputs[0], np.array(-1.0), np.array(0.0))


def suffix(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without leading ones: hls4ml repeats the shorter array over the longer one."""
    while shape and shape[0] == 1:
        shape = shape[1:]
    return shape


def with_constant(op: Op, context: Context, position: int) -> None:
    """``x · scale + bias`` for all that a constant can do to a tensor."""
    x, value = op.inputs[1 - position], context.data(op.inputs[position])
    one, zero = np.ones_like(value), np.zeros_like(value)
    match op.operator:
        case Add():
            scaled(op, context, x, one, value)
        case Sub():
            sign = 1.0 if position == 1 else -1.0
            scaled(op, context, x, sign * one, -sign * value)
        case Mul():
            scaled(op, context, x, value, zero)
        case Div() if position == 1:
            scaled(op, context, x, 1 / value, zero)
        case _:
            raise refused(op, f"hls4ml has no {op.kind!r} with a constant")


def scaled(op: Op, context: Context, x: str, scale: Array, bias: Array) -> None:
    """hls4ml's BatchNormalization, which is ``x · scale + bias`` and no more."""
    shape = context.shape(x)
    if context.shape(op.output) != shape:
        raise refused(op, f"hls4ml does not broadcast {list(shape)} to the shape of a constant")
    scale, bias = np.broadcast_arrays(scale, bias)
    channels = shape[-1] if shape else 1
    if scale.ndim == 0 or scale.size == scale.shape[-1]:
        wanted: tuple[int, ...] = (channels,)
        scale, bias = scale.reshape(-1), bias.reshape(-1)
    else:
        wanted, channels = (1, *shape), -1
    scale, bias = (np.broadcast_to(each, wanted).reshape(-1) for each in (scale, bias))
    scale_format, bias_format = FixedFormat.of(scale), FixedFormat.of(bias)
    add(
        op,
        context,
        "BatchNormalization",
        [x],
        {"n_in": prod(shape), "n_filt": channels},
        weights={"scale_data": scale_format.round(scale), "bias_data": bias_format.round(bias)},
        precision={"scale": type_of(scale_format), "bias": type_of(bias_format)},
    )


def add(
    op: Op,
    context: Context,
    class_name: str,
    inputs: tuple[str, ...] | list[str],
    attributes: dict[str, Any],
    **parts: Any,
) -> None:
    operator = op.operator
    activation = operator.activation if isinstance(operator, Arithmetic) else Activation.NONE
    context.add_activated(class_name, op, inputs, activation, attributes=attributes, **parts)
