"""Convolutions."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.bias import operands_with_bias
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.options import ACTIVATIONS, PADDINGS
from edgenn.export.tflite.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, TransposeConv2D


def require_scale_per_channel(op: Op, context: Context) -> None:
    """LiteRT's hybrid depthwise kernel reads one scale a channel without looking how many are.

    Raises:
        UnsupportedError: Float activations meet int8 weights of fewer scales.
    """
    x, weights = (context.tensor(name) for name in op.inputs[:2])
    if x.dtype != "float32" or weights.quantization is None:
        return
    if len(weights.quantization.scale) != context.tensor(op.output).shape[-1]:
        raise UnsupportedError(
            f"{op.name}: float activations need weights with scales per channel",
            hint="quantise the weights per channel",
        )


def fill(options: Any, conv: Conv2D | DepthwiseConv2D | TransposeConv2D) -> Any:
    """Copies what every convolution has."""
    options.padding = PADDINGS[conv.padding]
    options.strideH, options.strideW = conv.strides
    options.fusedActivationFunction = ACTIVATIONS[conv.activation]
    return options


@emitter(Conv2D)
def conv_2d(op: Op, context: Context) -> None:
    conv = op.operator
    assert isinstance(conv, Conv2D)
    require_scale_per_channel(op, context)
    options = fill(schema.Conv2DOptionsT(), conv)
    options.dilationHFactor, options.dilationWFactor = conv.dilations
    context.emit("CONV_2D", operands_with_bias(op, context), context.indices(op.outputs), options)


@emitter(DepthwiseConv2D)
def depthwise_conv_2d(op: Op, context: Context) -> None:
    conv = op.operator
    assert isinstance(conv, DepthwiseConv2D)
    require_scale_per_channel(op, context)
    options = fill(schema.DepthwiseConv2DOptionsT(), conv)
    options.dilationHFactor, options.dilationWFactor = conv.dilations
    channels = context.tensor(op.inputs[0]).shape[3]
    outputs = context.tensor(op.inputs[1]).shape[3]
    assert channels is not None
    assert outputs is not None
    options.depthMultiplier = outputs // channels
    context.emit(
        "DEPTHWISE_CONV_2D",
        operands_with_bias(op, context),
        context.indices(op.outputs),
        options,
    )


@emitter(TransposeConv2D)
def transpose_conv_2d(op: Op, context: Context) -> None:
    conv = op.operator
    assert isinstance(conv, TransposeConv2D)
    x, weights, bias = operands_with_bias(op, context)
    inputs = [output_shape(op, x, context), weights, x, bias]
    options = fill(schema.TransposeConvOptionsT(), conv)
    context.emit("TRANSPOSE_CONV", inputs, context.indices(op.outputs), options)


def output_shape(op: Op, x: int, context: Context) -> int:
    """The output's shape as a tensor; an open batch is read from ``x`` at run time.

    Raises:
        UnsupportedError: The output's height or width is open.
    """
    batch, *rest = context.tensor(op.output).shape
    if None in rest:
        raise UnsupportedError(
            f"{op.name}: a transposed convolution needs a fixed output height and width",
            hint="give the model a fixed input size",
        )
    if batch is not None:
        return context.constant(f"{op.name}/shape", np.array([batch, *rest], np.int32))
    return batch_and(rest, op, x, context)


def batch_and(sizes: list[Any], op: Op, x: int, context: Context) -> int:
    """``[batch of x, *sizes]``: SHAPE, its first element, packed with the constants."""
    rank = context.tensor(op.inputs[0]).rank
    shape = context.temporary(f"{op.name}/input_shape", (rank,), "int32")
    context.emit("SHAPE", [x], [shape], _int32_shape())
    batch = context.temporary(f"{op.name}/batch", (), "int32")
    bounds = [context.constant(f"{op.name}/{n}", np.array([n], np.int32)) for n in (0, 1, 1)]
    first = schema.StridedSliceOptionsT()
    first.shrinkAxisMask = 1
    context.emit("STRIDED_SLICE", [shape, *bounds], [batch], first)
    constants = [context.constant(f"{op.name}/{n}", np.array(n, np.int32)) for n in sizes]
    packed = context.temporary(f"{op.name}/shape", (1 + len(sizes),), "int32")
    pack = schema.PackOptionsT()
    pack.valuesCount = 1 + len(sizes)
    context.emit("PACK", [batch, *constants], [packed], pack)
    return packed


def _int32_shape() -> Any:
    options = schema.ShapeOptionsT()
    options.outType = schema.TensorType.INT32
    return options
