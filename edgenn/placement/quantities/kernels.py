"""Kernels that slide over a picture, pools and resizes: sizes, strides, padding."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgenn.placement.program import Node, Value
from edgenn.placement.quantities.registry import Answer, Asked, quantity
from edgenn.placement.roles import first, weights

KERNEL_AXES: Mapping[str, int] = {
    "CONV_2D": 1,
    "DEPTHWISE_CONV_2D": 1,
    "TRANSPOSE_CONV": 1,
    "Conv": 2,
    "ConvTranspose": 2,
}
"""Kind → where the height stands in the weights' shape; the width is behind it."""

OUTPUT_CHANNELS: Mapping[str, int] = {"DEPTHWISE_CONV_2D": 3, "ConvTranspose": 1}
"""Kind → where the output channels stand in the weights' shape, if not first."""

RESIZES = frozenset({"RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"})


@quantity
def stride_h(asked: Asked) -> Answer:
    return pair(asked.node, "stride_h", "strides", 0)


@quantity
def stride_w(asked: Asked) -> Answer:
    return pair(asked.node, "stride_w", "strides", 1)


@quantity
def dilation_h(asked: Asked) -> Answer:
    return dilations(asked.node)[0]


@quantity
def dilation_w(asked: Asked) -> Answer:
    return dilations(asked.node)[1]


def dilations(node: Node) -> tuple[int | None, int | None]:
    height = pair(node, "dilation_h_factor", "dilations", 0)
    return height, pair(node, "dilation_w_factor", "dilations", 1)


def pair(node: Node, tflite: str, onnx: str, index: int) -> int | None:
    """An option of a kernel; in ONNX, of the axis with that index of those it slides along."""
    if tflite in node.attributes:
        return int(node.attributes[tflite])
    both: Any = node.attributes.get(onnx, ())
    return int(both[index]) if index < len(both) else None


def kernel(node: Node) -> tuple[int, int] | None:
    """Height and width without dilation."""
    if "filter_height" in node.attributes:
        return int(node.attributes["filter_height"]), int(node.attributes["filter_width"])
    given = node.attributes.get("kernel_shape", ())
    if len(given) == 2:
        return int(given[0]), int(given[1])
    axis = KERNEL_AXES.get(node.kind)
    found = weights(node)
    if axis is None or not found or found[0].rank < axis + 2:
        return None
    height, width = found[0].shape[axis : axis + 2]
    return height or 1, width or 1


def spread(asked: Asked) -> tuple[int, int] | None:
    """Height and width with dilation."""
    size = kernel(asked.node)
    if size is None:
        return None
    height, width = dilations(asked.node)
    return (size[0] - 1) * (height or 1) + 1, (size[1] - 1) * (width or 1) + 1


@quantity
def kernel_h(asked: Asked) -> Answer:
    size = kernel(asked.node)
    return None if size is None else size[0]


@quantity
def kernel_w(asked: Asked) -> Answer:
    size = kernel(asked.node)
    return None if size is None else size[1]


@quantity
def kernel_area(asked: Asked) -> Answer:
    size = kernel(asked.node)
    return None if size is None else size[0] * size[1]


@quantity
def spread_h(asked: Asked) -> Answer:
    size = spread(asked)
    return None if size is None else size[0]


@quantity
def spread_w(asked: Asked) -> Answer:
    size = spread(asked)
    return None if size is None else size[1]


@quantity
def spread_area(asked: Asked) -> Answer:
    size = spread(asked)
    return None if size is None else size[0] * size[1]


@quantity
def groups(asked: Asked) -> Answer:
    if "group" in asked.node.attributes:
        return int(asked.node.attributes["group"])
    x, found = first(asked.node), weights(asked.node)
    if asked.node.kind != "CONV_2D" or x is None or not found or not x.shape:
        return None
    return (x.shape[-1] or 1) // (found[0].shape[-1] or 1)


@quantity
def groups_of_four(asked: Asked) -> Answer:
    """Of TFLite's CONV_2D."""
    count, found, y = groups(asked), weights(asked.node), next(iter(asked.node.outputs), None)
    if asked.node.kind != "CONV_2D" or not isinstance(count, int) or y is None or not y.shape:
        return None
    reads, makes = found[0].shape[-1] or 1, (y.shape[-1] or 1) // max(1, count)
    return reads == makes == 1 or reads % 4 == makes % 4 == 0


@quantity
def depth_multiplier(asked: Asked) -> Answer:
    value = asked.node.attributes.get("depth_multiplier")
    return None if value is None else int(value)


@quantity
def weight_sum(asked: Asked) -> Answer:
    found = weights(asked.node)
    if len(found) != 1 or found[0].data is None or not found[0].rank:
        return None
    value = found[0]
    axis = OUTPUT_CHANNELS.get(asked.node.kind, 0)
    numbers = np.moveaxis(np.asarray(value.data, np.float64), axis, 0)
    numbers = numbers.reshape(len(numbers), -1) - (value.zero_points[0] if value.zero_points else 0)
    return float(np.abs(numbers).sum(axis=1).max(initial=0))


@quantity
def padding(asked: Asked) -> Answer:
    value = asked.node.attributes.get("padding")
    return None if value is None else str(value)


@quantity
def padded(asked: Asked) -> Answer:
    """TFLite's SAME: as much as the last windows reach over the picture's edge."""
    node = asked.node
    x, y, size = first(node), next(iter(node.outputs), None), spread(asked) or kernel(node)
    if padding(asked) is None or size is None or x is None or y is None:
        return None
    if padding(asked) == "VALID" or x.rank != 4 or y.rank != 4:
        return False
    strides = int(node.attributes["stride_h"]), int(node.attributes["stride_w"])
    return any(
        ((y.shape[axis] or 1) - 1) * strides[axis - 1] + size[axis - 1] > (x.shape[axis] or 1)
        for axis in (1, 2)
    )


@quantity
def input_h(asked: Asked) -> Answer:
    return picture(first(asked.node), 1)


@quantity
def input_w(asked: Asked) -> Answer:
    return picture(first(asked.node), 2)


@quantity
def output_h(asked: Asked) -> Answer:
    return picture(next(iter(asked.node.outputs), None), 1)


@quantity
def output_w(asked: Asked) -> Answer:
    return picture(next(iter(asked.node.outputs), None), 2)


def picture(value: Value | None, axis: int) -> int | None:
    return value.shape[axis] if value is not None and value.rank == 4 else None


@quantity
def scale_h(asked: Asked) -> Answer:
    return stretch(asked, 1)


@quantity
def scale_w(asked: Asked) -> Answer:
    return stretch(asked, 2)


def stretch(asked: Asked, axis: int) -> float | None:
    """As TFLite defines it: between the outermost pixels' centres with ``align_corners``."""
    node = asked.node
    before, after = picture(first(node), axis), picture(next(iter(node.outputs), None), axis)
    if node.kind not in RESIZES or before is None or after is None:
        return None
    if node.attributes.get("align_corners"):
        return (after - 1) / (before - 1) if before > 1 else 1.0
    return after / before


@quantity
def even_scale(asked: Asked) -> Answer:
    height, width = stretch(asked, 1), stretch(asked, 2)
    return None if height is None else height == width


@quantity
def usual_size(asked: Asked) -> Answer:
    """``input × stride``, and with VALID as much more as the kernel is larger than the stride."""
    node = asked.node
    x, y, size = first(node), next(iter(node.outputs), None), kernel(node)
    if node.kind != "TRANSPOSE_CONV" or size is None or x is None or y is None:
        return None
    if x.rank != 4 or y.rank != 4:
        return None
    strides = int(node.attributes["stride_h"]), int(node.attributes["stride_w"])
    beyond = [
        max(k - s, 0) if padding(asked) == "VALID" else 0
        for k, s in zip(size, strides, strict=True)
    ]
    return all(
        y.shape[axis] == (x.shape[axis] or 1) * strides[axis - 1] + beyond[axis - 1]
        for axis in (1, 2)
    )
