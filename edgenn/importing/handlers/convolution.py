"""Convolutions."""

from typing import Any

import numpy as np

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.products import input_rounding
from edgenn.importing.registry import handler
from edgenn.importing.words import activation, padding
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, TransposeConv2D


def shared(node: Node, context: Context) -> dict[str, Any]:
    """What every convolution has."""
    return {
        "strides": (node.option("strideH"), node.option("strideW")),
        "padding": padding(node),
        "activation": activation(node, context),
    }


def dilations(node: Node) -> tuple[int, int]:
    return node.option("dilationHFactor", 1), node.option("dilationWFactor", 1)


@handler("CONV_2D")
def conv_2d(node: Node, context: Context) -> None:
    x, kernel = node.given[:2]
    depth, channels = context.tensor(kernel).shape[3], context.tensor(x).shape[3]
    groups = channels // depth if channels and depth else 1
    conv = Conv2D(
        dilations=dilations(node),
        groups=groups,
        input_rounding=input_rounding(x, kernel, context),
        **shared(node, context),
    )
    context.add(conv, node.given, node.outputs)


@handler("DEPTHWISE_CONV_2D")
def depthwise_conv_2d(node: Node, context: Context) -> None:
    x, kernel = node.given[:2]
    conv = DepthwiseConv2D(
        dilations=dilations(node),
        input_rounding=input_rounding(x, kernel, context),
        **shared(node, context),
    )
    context.add(conv, node.given, node.outputs)


@handler("TRANSPOSE_CONV")
def transpose_conv_2d(node: Node, context: Context) -> None:
    _, kernel, x, *bias = node.inputs
    assert x is not None and kernel is not None
    height, width = context.numbers(node, 0, "output sizes").reshape(-1)[1:3]
    if np.isnan(height) or np.isnan(width):
        raise context.unsupported(node, "its output height and width are open until run time")
    conv = TransposeConv2D(
        output_size=(int(height), int(width)),
        input_rounding=input_rounding(x, kernel, context),
        **shared(node, context),
    )
    context.add(conv, [x, kernel, *(name for name in bias if name is not None)], node.outputs)
