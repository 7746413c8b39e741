"""Convolutions."""

from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite.context import Context
from edgenn.export.tflite.options import ACTIVATIONS, PADDINGS
from edgenn.export.tflite.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops import Conv2D, DepthwiseConv2D


@emitter(Conv2D)
def conv_2d(op: Op, context: Context) -> None:
    conv = op.operator
    assert isinstance(conv, Conv2D)
    options = schema.Conv2DOptionsT()
    options.padding = PADDINGS[conv.padding]
    options.strideH, options.strideW = conv.strides
    options.dilationHFactor, options.dilationWFactor = conv.dilations
    options.fusedActivationFunction = ACTIVATIONS[conv.activation]
    context.emit("CONV_2D", context.indices(op.inputs), context.indices(op.outputs), options)


@emitter(DepthwiseConv2D)
def depthwise_conv_2d(op: Op, context: Context) -> None:
    conv = op.operator
    assert isinstance(conv, DepthwiseConv2D)
    options = schema.DepthwiseConv2DOptionsT()
    options.padding = PADDINGS[conv.padding]
    options.strideH, options.strideW = conv.strides
    options.dilationHFactor, options.dilationWFactor = conv.dilations
    options.fusedActivationFunction = ACTIVATIONS[conv.activation]
    channels = context.tensor(op.inputs[0]).shape[3]
    outputs = context.tensor(op.inputs[1]).shape[3]
    assert channels is not None
    assert outputs is not None
    options.depthMultiplier = outputs // channels
    context.emit(
        "DEPTHWISE_CONV_2D", context.indices(op.inputs), context.indices(op.outputs), options
    )
