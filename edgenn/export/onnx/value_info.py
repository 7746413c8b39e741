"""What an ONNX graph says about its values and nodes besides what they compute."""

from collections.abc import Sequence
from typing import Any

import onnx

from edgenn.export.onnx.dtypes import ELEMENT_TYPES, value_dtype
from edgenn.ir.tensor import Tensor

BATCH = "batch"


def value_info(public: str, tensor: Tensor) -> Any:
    """Name, type and shape; all batches share one open dimension, others are on their own."""
    shape = [
        size if size is not None else BATCH if axis == 0 else f"{public}_dim_{axis}"
        for axis, size in enumerate(tensor.shape)
    ]
    dtype = ELEMENT_TYPES[value_dtype(tensor)]
    return onnx.helper.make_tensor_value_info(public, dtype, shape)


def named(nodes: Sequence[Any]) -> Sequence[Any]:
    """The nodes, each called like its first output."""
    for node in nodes:
        node.name = next(filter(None, node.output))
    return nodes
