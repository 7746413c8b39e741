"""Dense layers and convolutions: sums of products with constants, exact until they are rounded."""

from collections.abc import Sequence
from typing import Any

from edgenn.export.hls4ml.context import Context
from edgenn.export.hls4ml.precision import product
from edgenn.export.hls4ml.registry import emitter, refused
from edgenn.export.hls4ml.windows import window
from edgenn.ir.graph import Op
from edgenn.ir.ops import Conv2D, DepthwiseConv2D, FullyConnected
from edgenn.ir.tensor import Array


@emitter(FullyConnected)
def fully_connected(op: Op, context: Context) -> None:
    assert isinstance(op.operator, FullyConnected)
    require_constants(op, context)
    if len(context.shape(op.inputs[0])) > 3:
        raise refused(op, "hls4ml's Dense takes at most three dimensions besides the batch")
    kernel = context.data(op.inputs[1]).T
    attributes = {
        "n_in": kernel.shape[0],
        "n_out": kernel.shape[1],
        "data_format": "channels_last",
    }
    add_product("Dense", op, context, kernel, "weight_data", attributes)


@emitter(Conv2D)
def conv_2d(op: Op, context: Context) -> None:
    """1-D convolutions come as 2-D ones of height 1."""
    assert isinstance(op.operator, Conv2D)
    require_constants(op, context)
    if op.operator.groups != 1:
        raise refused(op, f"hls4ml has no convolution in {op.operator.groups} groups")
    kernel = context.data(op.inputs[1]).transpose(1, 2, 3, 0)
    attributes = convolution(op, context, kernel)
    add_product("Conv2D", op, context, kernel, "weight_data", attributes)


@emitter(DepthwiseConv2D)
def depthwise_conv_2d(op: Op, context: Context) -> None:
    require_constants(op, context)
    kernel = context.data(op.inputs[1])[0]
    channels = context.shape(op.inputs[0])[-1]
    if kernel.shape[-1] != channels:
        multiplier = kernel.shape[-1] // channels
        raise refused(op, f"hls4ml's DepthwiseConv2D has depth multiplier 1 only, not {multiplier}")
    attributes = {**convolution(op, context, kernel), "depth_multiplier": 1}
    add_product("DepthwiseConv2D", op, context, kernel, "depthwise_data", attributes)


def convolution(op: Op, context: Context, kernel: Array) -> dict[str, Any]:
    """The attributes that all convolutions have.

    Args:
        kernel: ``(kh, kw, …)``.
    """
    operator = op.operator
    assert isinstance(operator, Conv2D | DepthwiseConv2D)
    if operator.dilations != (1, 1):
        raise refused(op, f"hls4ml has no dilated convolutions, as with {operator.dilations}")
    x, y = context.shape(op.inputs[0]), context.shape(op.output)
    size = (kernel.shape[0], kernel.shape[1])
    attributes = window(x, y, size, operator.strides, operator.padding)
    return {
        **attributes,
        "filt_height": size[0],
        "filt_width": size[1],
        "n_chan": x[-1],
        "n_filt": y[-1],
        "data_format": "channels_last",
    }


def add_product(
    class_name: str,
    op: Op,
    context: Context,
    kernel: Array,
    attribute: str,
    attributes: dict[str, Any],
) -> None:
    """A layer of products with a kernel and an optional bias, and its fused activation."""
    assert isinstance(op.operator, FullyConnected | Conv2D | DepthwiseConv2D)
    bias = context.data(op.inputs[2]) if len(op.inputs) > 2 else None
    exact = product(context.format(op.inputs[0]), kernel, bias)
    context.add_activated(
        class_name,
        op,
        op.inputs[:1],
        op.operator.activation,
        attributes=attributes,
        weights={attribute: exact.weight, "bias_data": exact.bias},
        precision=exact.precision,
    )


def require_constants(op: Op, context: Context, inputs: Sequence[str] | None = None) -> None:
    """Raises UnsupportedError where weights are computed."""
    for name in op.inputs[1:] if inputs is None else inputs:
        if not context.tensor(name).is_constant:
            raise refused(op, f"hls4ml's weights are constants; {name} is computed")
