"""Convolutions: channels-first, kernels with the output channels in front."""

from typing import Any

from edgenn.errors import UnsupportedError
from edgenn.export.onnx.activations import activated
from edgenn.export.onnx.context import Context
from edgenn.export.onnx.float_bias import bias_of
from edgenn.export.onnx.layouts import Order, channels_first
from edgenn.export.onnx.padding import NOTHING, Amounts, FoldedPad, onnx_pads, window_of
from edgenn.export.onnx.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, TransposeConv2D
from edgenn.ir.ops.convolution import Convolution
from edgenn.ir.ops.geometry import pad_amounts

OHWI_TO_OIHW: Order = (0, 3, 1, 2)
OHWI_TO_IOHW: Order = (3, 0, 1, 2)
ONE_HWC_TO_C_ONE_HW: Order = (3, 0, 1, 2)


@emitter(Conv2D)
def conv_2d(op: Op, context: Context) -> None:
    conv = op.operator
    assert isinstance(conv, Conv2D)
    write_convolution(op, conv, OHWI_TO_OIHW, conv.groups, context)


@emitter(DepthwiseConv2D)
def depthwise_conv_2d(op: Op, context: Context) -> None:
    conv = op.operator
    assert isinstance(conv, DepthwiseConv2D)
    channels = context.tensor(op.inputs[0]).shape[3]
    assert channels is not None
    write_convolution(op, conv, ONE_HWC_TO_C_ONE_HW, channels, context)


def write_convolution(
    op: Op, conv: Conv2D | DepthwiseConv2D, kernel: Order, groups: int, context: Context
) -> None:
    """Writes a Conv, which takes over an explicit pad before it.

    Args:
        kernel: The order of ONNX's axes in the graph's kernel.
    """
    pad = context.folded_pads.get(op.inputs[0], FoldedPad(op.inputs[0], NOTHING))
    x = context.channels_first(pad.source)
    window = window_of(context.graph, op, conv)
    attributes = window.attributes(context.tensor(pad.source).shape, pad.amounts)
    attributes.update(dilations=conv.dilations, group=groups)
    finish("Conv", [x, context.weight(op.inputs[1], kernel)], attributes, op, conv, context)


@emitter(TransposeConv2D)
def transpose_conv_2d(op: Op, context: Context) -> None:
    conv = op.operator
    assert isinstance(conv, TransposeConv2D)
    inputs = [context.channels_first(op.inputs[0]), context.weight(op.inputs[1], OHWI_TO_IOHW)]
    pads, extra = cut_and_extra(op, conv, context)
    attributes = {
        "kernel_shape": context.tensor(op.inputs[1]).shape[1:3],
        "strides": conv.strides,
        "pads": onnx_pads(pads),
        "output_padding": extra,
    }
    finish("ConvTranspose", inputs, attributes, op, conv, context)


def cut_and_extra(op: Op, conv: TransposeConv2D, context: Context) -> tuple[Amounts, list[int]]:
    """What falls away around the full result, and what is added at its end, per axis.

    Raises:
        UnsupportedError: An open height or width, or an output that reaches too far out.
    """
    sizes = context.tensor(op.inputs[0]).shape[1:3]
    kernels = context.tensor(op.inputs[1]).shape[1:3]
    cuts, extras = [], []
    for size, kernel, stride, output in zip(
        sizes, kernels, conv.strides, conv.output_size, strict=True
    ):
        assert kernel is not None
        if size is None or output is None:
            raise UnsupportedError(
                f"{op.name}: a transposed convolution needs a fixed output height and width",
                hint="give the model a fixed input size",
            )
        before, _ = pad_amounts(output, kernel, stride, 1, conv.padding)
        after = (size - 1) * stride + kernel - before - output
        if -after >= stride:
            raise UnsupportedError(
                f"{op.name}: output size {output} is {-after} beyond what the kernel reaches,"
                f" ONNX adds less than the stride ({stride})",
                hint="pad after the transposed convolution instead",
            )
        cuts.append((before, max(after, 0)))
        extras.append(max(-after, 0))
    return (cuts[0], cuts[1]), extras


def finish(
    operator: str,
    inputs: list[str],
    attributes: dict[str, Any],
    op: Op,
    conv: Convolution,
    context: Context,
) -> None:
    """The node with its bias, the fused activation, the output."""
    y = context.node(operator, [*inputs, *bias_of(op, context)], **attributes)
    context.bind(op.output, activated(y, conv.activation, op, context), channels_first(4))
