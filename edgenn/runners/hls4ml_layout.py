"""How hls4ml moves data between layers: all at once, or pixel by pixel.

The numbers are the same. With ``io_parallel`` hls4ml writes a line of C++ for each value under each
position of a convolution, which g++ compiles for minutes to hours where images are large; with
``io_stream`` it keeps a few lines of the image, but some layers have no such form.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Final

PARALLEL: Final = "io_parallel"
STREAM: Final = "io_stream"

CONVOLUTIONS: Final = ("Conv2D", "DepthwiseConv2D")
STREAMED: Final = (
    *CONVOLUTIONS,
    "InputLayer",
    "Dense",
    "BatchNormalization",
    "Concatenate",
    "Cropping2D",
    "ELU",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "LeakyReLU",
    "Reshape",
    "ZeroPadding2D",
    "Resize",
    "LSTM",
    "GRU",
)
"""Layers that stream whatever their attributes are."""

FUNCTIONS: Final = ("linear", "relu", "sigmoid", "tanh")
"""Activations that stream."""

MOST_READERS: Final = 7
"""hls4ml copies a stream so many times."""


def chosen(layers: Sequence[Mapping[str, Any]]) -> str:
    """``io_stream`` where there are convolutions and all layers stream."""
    convolutions = any(layer["class_name"] in CONVOLUTIONS for layer in layers)
    return STREAM if convolutions and obstacle(layers) is None else PARALLEL


def obstacle(layers: Sequence[Mapping[str, Any]]) -> str | None:
    """The path of the first layer that keeps a network from streaming."""
    readers = [name for layer in layers for name in layer["inputs"]]
    for layer in layers:
        if not streams(layer) or readers.count(layer["name"]) >= MOST_READERS:
            return str(layer["path"])
    return None


def streams(layer: Mapping[str, Any]) -> bool:
    """Whether hls4ml has a streaming form of a layer (``nnet_utils/*_stream.h``)."""
    kind, attributes = layer["class_name"], layer["attributes"]
    if kind == "Activation":
        return attributes["activation"] in FUNCTIONS
    if kind == "Softmax":
        return bool(attributes["n_outer"] == 1)
    if kind == "Merge":
        return bool(attributes["same_shapes"])
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        size = (attributes["pool_height"], attributes["pool_width"])
        strides = (attributes["stride_height"], attributes["stride_width"])
        return size == strides and not padded(attributes)
    return kind in STREAMED


def padded(attributes: Mapping[str, Any]) -> bool:
    return any(attributes[f"pad_{side}"] for side in ("top", "bottom", "left", "right"))


def unrolled_lines(layers: Sequence[Mapping[str, Any]]) -> int:
    """Lines of C++ that ``io_parallel`` makes of a network's convolutions."""
    names = ("out_height", "out_width", "filt_height", "filt_width", "n_chan")
    return sum(
        prod(layer["attributes"][name] for name in names)
        for layer in layers
        if layer["class_name"] in CONVOLUTIONS
    )
