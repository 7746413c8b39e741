"""``keras.ops``: activations, windows, normalisation and images."""

import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edgenn.frontend.compose import activations, normalization
from edgenn.frontend.compose.convolution import (
    Window,
    as_image,
    convolve,
    convolve_transposed,
    depthwise_convolve,
    pool,
)
from edgenn.frontend.compose.einsum import einsum
from edgenn.frontend.compose.resizing import resize_to
from edgenn.frontend.context import Context
from edgenn.frontend.handlers.ops_arithmetic import result_dtype
from edgenn.frontend.keras_import import keras
from edgenn.frontend.keras_operations import operation_table, operations
from edgenn.frontend.registry import handler, register_table
from edgenn.ir.ops import AveragePool2D, MaxPool2D


def activation(function: Callable[..., str], context: Context, op: Any, x: str) -> str:
    options = {name: getattr(op, name) for name in OPTIONS.get(type(op).__name__, ())}
    return function(context, x, **options)


OPTIONS: dict[str, tuple[str, ...]] = {
    "Celu": ("alpha",),
    "Elu": ("alpha",),
    "Gelu": ("approximate",),
    "Glu": ("axis",),
    "HardShrink": ("threshold",),
    "LeakyRelu": ("negative_slope",),
    "LogSoftmax": ("axis",),
    "ReLU": ("negative_slope", "max_value", "threshold"),
    "SoftShrink": ("threshold",),
    "Softmax": ("axis",),
    "Squareplus": ("b",),
    "Threshold": ("threshold", "default_value"),
}
register_table(
    activation,
    operation_table(
        {
            "Celu": activations.celu,
            "Elu": activations.elu,
            "Gelu": activations.gelu,
            "Glu": activations.glu,
            "HardShrink": activations.hard_shrink,
            "HardSigmoid": activations.hard_sigmoid,
            "HardSilu": activations.hard_silu,
            "HardTanh": activations.hard_tanh,
            "LeakyRelu": activations.leaky_relu,
            "LogSigmoid": activations.log_sigmoid,
            "LogSoftmax": activations.log_softmax,
            "Mish": activations.mish,
            "ReLU": activations.relu,
            "Relu": activations.relu,
            "Relu6": activations.relu6,
            "Selu": activations.selu,
            "Sigmoid": activations.sigmoid,
            "Silu": activations.silu,
            "SoftShrink": activations.soft_shrink,
            "Softmax": activations.softmax,
            "Softplus": activations.softplus,
            "Softsign": activations.softsign,
            "SparsePlus": activations.sparse_plus,
            "SparseSigmoid": activations.sparse_sigmoid,
            "Squareplus": activations.squareplus,
            "Tanh": activations.tanh,
            "TanhShrink": activations.tanh_shrink,
            "Threshold": activations.threshold,
        }
    ),
)


def constant_kernel(context: Context, kernel: Any) -> Any:
    if isinstance(kernel, str):
        raise context.unsupported("its kernel is computed at run time", "use a variable")
    return kernel if hasattr(kernel, "shape") else np.asarray(kernel)


def convolution(function: Any, context: Context, op: Any, inputs: str, kernel: Any) -> str:
    """With a kernel that is a variable or array."""
    return str(function(context, inputs, constant_kernel(context, kernel), None, Window.of(op)))


register_table(
    convolution,
    operation_table(
        {
            "Conv": convolve,
            "ConvTranspose": convolve_transposed,
            "DepthwiseConv": depthwise_convolve,
        }
    ),
)


@handler(*operations("SeparableConv"))
def separable_conv(
    context: Context, op: Any, inputs: str, depthwise_kernel: Any, pointwise_kernel: Any
) -> str:
    """A depthwise convolution, then one of size 1."""
    depthwise = constant_kernel(context, depthwise_kernel)
    x = depthwise_convolve(context, inputs, depthwise, None, Window.of(op), "depthwise_kernel")
    window = Window(1, "valid", 1, op.data_format == "channels_first")
    kernel = constant_kernel(context, pointwise_kernel)
    return convolve(context, x, kernel, None, window, "pointwise_kernel")


def pooling(operator: Any, context: Context, op: Any, inputs: str) -> str:
    """In one or two dimensions."""
    strides = op.pool_size if op.strides is None else op.strides
    window = Window(strides, op.padding, 1, op.data_format == "channels_first")
    return pool(context, inputs, operator, op.pool_size, window)


register_table(pooling, operation_table({"AveragePool": AveragePool2D, "MaxPool": MaxPool2D}))


@handler(*operations("BatchNorm"))
def batch_norm(
    context: Context,
    op: Any,
    x: str,
    mean: Any,
    variance: Any,
    offset: Any = None,
    scale: Any = None,
) -> str:
    """With constant statistics."""
    if any(isinstance(value, str) for value in (mean, variance, offset, scale)):
        raise context.unsupported("its statistics are computed at run time", "use variables")
    return normalization.batch_normalization(
        context, x, mean, variance, scale, offset, op.axis, op.epsilon
    )


def listed(axis: int | Sequence[int]) -> list[int]:
    return [axis] if isinstance(axis, int) else list(axis)


@handler(*operations("LayerNorm"))
def layer_norm(context: Context, op: Any, x: str, gamma: Any = None, beta: Any = None) -> str:
    """With constant scale and offset."""
    epsilon = keras.backend.epsilon() if op.epsilon is None else op.epsilon
    return normalization.layer_normalization(
        context, x, gamma, beta, listed(op.axis), epsilon, op.rms_scaling
    )


@handler(*operations("RMSNorm"))
def rms_norm(context: Context, op: Any, x: str, scale: Any = None) -> str:
    """With a constant scale."""
    epsilon = keras.backend.epsilon() if op.epsilon is None else op.epsilon
    return normalization.rms_normalization(context, x, scale, listed(op.axis), epsilon)


@handler(*operations("Normalize"))
def normalize(context: Context, op: Any, x: str) -> str:
    """Order 2."""
    if op.order != 2:
        raise context.unsupported(f"normalize of order {op.order}", "use order 2")
    epsilon = keras.backend.epsilon() if op.epsilon is None else op.epsilon
    return normalization.unit_normalization(context, x, listed(op.axis), epsilon)


@handler(*operations("Resize"))
def resize_operation(context: Context, op: Any, images: str) -> str:
    """`nearest` and `bilinear` on batches, cropping or padding to the aspect ratio."""
    target = (int(op.size[0]), int(op.size[1]))

    return as_image(
        context,
        images,
        op.data_format == "channels_first",
        lambda image: resize_to(context, op, image, target),
    )


@handler(*operations("RGBToGrayscale"))
def rgb_to_grayscale(context: Context, op: Any, images: str) -> str:
    """ITU-R BT.601 weights, as TensorFlow has them."""
    x = context.cast(images, result_dtype(context))
    axis = context.rank(x) + (-1 if op.data_format == "channels_last" else -3)
    letters = string.ascii_lowercase[: context.rank(x)]
    weights = context.constant(np.array([[0.2989], [0.587], [0.114]]), "weights")
    output = letters[:axis] + "z" + letters[axis + 1 :]
    return einsum(context, f"{letters},{letters[axis]}z->{output}", x, weights)
