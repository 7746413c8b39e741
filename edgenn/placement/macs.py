"""Multiply-accumulates of an op, from the shapes that the file declares.

Open sizes count as 1, so that a file of open batch counts one sample; additions of biases do not
count. What is not in the tables multiplies nothing by weights.
"""

from collections.abc import Callable, Mapping
from math import prod

from edgenn.placement.program import Node, Value

Formula = Callable[[Node], int]


def macs_of(node: Node) -> int:
    """Of one run of the op itself; what a loop runs is in its sections."""
    if "macs" in node.attributes:
        return int(node.attributes["macs"])
    formula = FORMULAS.get(node.kind)
    return 0 if formula is None else formula(node)


def per_output(axes: slice) -> Formula:
    """Each number of the output takes as many as the weights (input 1) have along the axes."""
    return lambda node: node.outputs[0].elements * along(node.input(1), axes)


def per_input(data: int, axes: slice) -> Formula:
    """Each number of input ``data`` is multiplied by the weights along the axes."""

    def formula(node: Node) -> int:
        x = node.input(data)
        return 0 if x is None else x.elements * along(node.input(1), axes)

    return formula


def batch_matmul(node: Node) -> int:
    a = node.inputs[0]
    if a is None or a.rank < 2:
        return 0
    inner = a.shape[-2 if node.attributes.get("adj_x") else -1] or 1
    return node.outputs[0].elements * inner


def gemm(node: Node) -> int:
    a = node.inputs[0]
    if a is None or a.rank < 2:
        return 0
    inner = a.shape[0 if node.attributes.get("transA") else 1] or 1
    return node.outputs[0].elements * inner


def matmul(node: Node) -> int:
    a = node.inputs[0]
    return 0 if a is None or not a.shape else node.outputs[0].elements * (a.shape[-1] or 1)


def fused_recurrent(node: Node) -> int:
    """TFLite's sequence ops: weights are inputs 1 to 8, time is the batch's neighbour."""
    x = node.inputs[0]
    if x is None or x.rank != 3:
        return 0
    time_axis = 0 if node.attributes.get("time_major") else 1
    return each_weight_once(node, range(1, 9)) * (x.shape[time_axis] or 1)


def native_recurrent(node: Node) -> int:
    """ONNX's LSTM, GRU and RNN: time comes first, W and R hold all gates and directions."""
    x = node.inputs[0]
    steps = 1 if x is None or not x.shape else x.shape[0] or 1
    return each_weight_once(node, (1, 2)) * steps


def each_weight_once(node: Node, inputs: Mapping[int, int] | range | tuple[int, ...]) -> int:
    weights = (node.input(index) for index in inputs)
    return sum(w.elements for w in weights if w is not None and w.rank >= 2)


def along(value: Value | None, axes: slice) -> int:
    return 1 if value is None else prod(size or 1 for size in value.shape[axes])


FORMULAS: Mapping[str, Formula] = {
    # TFLite: kernels are (O, kh, kw, I), (1, kh, kw, O), (O, kh, kw, I), (O, I)
    "CONV_2D": per_output(slice(1, None)),
    "DEPTHWISE_CONV_2D": per_output(slice(1, 3)),
    "TRANSPOSE_CONV": per_input(2, slice(0, 3)),
    "FULLY_CONNECTED": per_output(slice(1, None)),
    "BATCH_MATMUL": batch_matmul,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": fused_recurrent,
    # ONNX: kernels are (O, I / groups, kh, kw), (I, O / groups, kh, kw)
    "Conv": per_output(slice(1, None)),
    "ConvInteger": per_output(slice(1, None)),
    "ConvTranspose": per_input(0, slice(1, None)),
    "Gemm": gemm,
    "MatMul": matmul,
    "MatMulInteger": matmul,
    "LSTM": native_recurrent,
    "GRU": native_recurrent,
    "RNN": native_recurrent,
}
