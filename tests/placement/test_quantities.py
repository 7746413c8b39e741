"""Each word of the rules, on ops made by hand."""

from typing import Any

import numpy as np
import pytest
from support.programs import value

from edgenn.placement.program import Node, Value
from edgenn.placement.quantities import FUNCTIONS, Asked
from edgenn.targets.quantities import QUANTITIES

Q = {"scales": (0.1,), "zero_points": (3,)}


def constant(name: str, data: Any, dtype: str = "int32", **more: Any) -> Value:
    array = np.asarray(data, dtype)
    return Value(name, array.shape, dtype, constant=True, data=array, **more)


def op(kind: str, inputs: list[Value | None], outputs: list[Value], **attributes: Any) -> Node:
    return Node(kind, tuple(inputs), tuple(outputs), attributes)


PICTURE = value("x", 1, 16, 20, 6, **Q)
KERNEL = constant("w", np.full((8, 3, 5, 6), -2), "int8", scales=(0.1,) * 8, zero_points=(0,) * 8)
SLIDING = {"stride_h": 2, "stride_w": 1, "dilation_h_factor": 2, "dilation_w_factor": 1}
CONV = op(
    "CONV_2D",
    [PICTURE, KERNEL, constant("b", np.zeros(8))],
    [value("y", 1, 8, 20, 8, scales=(0.2,), zero_points=(-1,))],
    padding="SAME",
    fused_activation_function="RELU",
    version=3,
    **SLIDING,
)
POOL = op(
    "MAX_POOL_2D",
    [PICTURE],
    [value("y", 1, 8, 10, 6, **Q)],
    padding="SAME",
    filter_height=2,
    filter_width=2,
    stride_h=2,
    stride_w=2,
)
DEPTHWISE = op(
    "DEPTHWISE_CONV_2D",
    [PICTURE, constant("w", np.full((1, 3, 3, 6), 5), "int8"), None],
    [value("y", 1, 16, 20, 6)],
    depth_multiplier=1,
    padding="VALID",
    **SLIDING,
)
GROUPED = op(
    "CONV_2D",
    [PICTURE, constant("w", np.ones((6, 1, 1, 3)), "float32"), None],
    [value("y", 1, 16, 20, 6)],
    padding="VALID",
    **SLIDING,
)
TRANSPOSED = op(
    "TRANSPOSE_CONV",
    [constant("size", [1, 33, 40, 4]), constant("w", np.ones((4, 3, 2, 6)), "int8"), PICTURE],
    [value("y", 1, 33, 40, 4)],
    padding="VALID",
    stride_h=2,
    stride_w=2,
)
RESIZE = op(
    "RESIZE_BILINEAR",
    [PICTURE, constant("size", [31, 40])],
    [value("y", 1, 31, 40, 6)],
    align_corners=True,
    half_pixel_centers=False,
)
OPEN = op("ADD", [value("x", None, 4, 6), value("y", 4, None)], [value("z", None, 4, 6)])
TWICE = op("MUL", [PICTURE, PICTURE], [value("y", 1, 16, 20, 6, **Q)])
DENSE = op(
    "FULLY_CONNECTED",
    [value("x", 5, 7), value("w", 3, 7, dtype="float32"), value("b", 3, dtype="float32")],
    [value("y", 5, 3)],
    keep_num_dims=True,
)
MEAN = op("MEAN", [PICTURE, constant("axes", [1, -1])], [value("y", 1, 20)], keep_dims=False)
TRANSPOSE = op("TRANSPOSE", [value("x", 4, 5, 6), constant("p", [0, 2, 1])], [value("y", 4, 6, 5)])
SLICE = op(
    "STRIDED_SLICE",
    [PICTURE, *(constant(n, [0, 0, 0, 0]) for n in "be"), constant("s", [1, 2, -1, 3])],
    [value("y", 1, 8, 20, 2)],
    begin_mask=15,
    new_axis_mask=0,
    shrink_axis_mask=4,
    ellipsis_mask=2,
)
GATHER = op(
    "GATHER", [value("x", 9, 4), value("i", 2, 3, dtype="int32")], [value("y", 2, 3, 4)],
    axis=0, batch_dims=0,
)  # fmt: skip
PAD = op(
    "PAD", [PICTURE, constant("p", [[0, 0], [1, 0], [0, 2], [0, 0]])], [value("y", 1, 17, 22, 6)]
)
MIRROR = op("MIRROR_PAD", PAD.inputs, PAD.outputs, mode="SYMMETRIC")
SOFTMAX = op("SOFTMAX", [value("x", 3, 4, 5)], [value("y", 3, 4, 5)], beta=2.0)
CUMSUM = op(
    "CUMSUM",
    [value("x", 3, 4), constant("a", 1)],
    [value("y", 3, 4)],
    exclusive=True,
    reverse=False,
)
NEGATIVE = op("POW", [constant("c", 2.0, "float32"), PICTURE], [value("y", 1, 16, 20, 6)])
STATEFUL = op("SVDF", [PICTURE, value("s", 4, variable=True)], [value("y", 1, 3)])
ONNX_CONV = op(
    "Conv",
    [value("x", 1, 6, 8, 8), constant("w", np.ones((4, 3, 3, 3)), "float32")],
    [value("y", 1, 4, 3, 6)],
    strides=(2, 1),
    dilations=(1, 2),
    kernel_shape=(3, 3),
    group=2,
)


def lstm(**present: int) -> Node:
    """A fused LSTM with all that a plain one has, and what is named besides."""
    inputs: list[Value | None] = [value("i", 4, 4) if n < 9 else None for n in range(24)]
    for index in present.values():
        inputs[index] = value("more", 4)
    if "without" in present:
        inputs[1] = inputs[present["without"]] = None
    return op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [value("y", 1, 5, 4)])


CASES = [
    ("dtype", CONV, ("int8",)),
    ("dtype", GATHER, ("int8",)),
    ("input_dtype", DENSE, ("int8",)),
    ("output_dtype", OPEN, ("int8",)),
    ("stored_dtype", CONV, ("int8",)),
    ("stored_dtype", op("Add", [], [value("y", 3, stored="uint16")]), ("uint16",)),
    ("weight_dtype", DENSE, ("float32",)),
    ("weight_dtype", POOL, None),
    ("bias_dtype", CONV, "int32"),
    ("bias_dtype", DEPTHWISE, None),
    ("runtime_dtype", DENSE, ("int8", "float32")),
    ("runtime_dtype", MEAN, ("int8",)),
    ("rank", TRANSPOSE, (3, 3)),
    ("rank", NEGATIVE, (0, 4, 4)),
    ("runtime_rank", NEGATIVE, (4, 4)),
    ("input_rank", OPEN, 3),
    ("output_rank", MEAN, 2),
    ("size", OPEN, (4, 6, 4, 4, 6)),
    ("batch", DENSE, (1,)),
    ("batch", op("ADD", [value("x", 2, 1, 1, 3)], []), (2,)),
    ("channels", CONV, 6),
    ("channels_mod_4", CONV, 2),
    ("rows", CONV, 320),
    ("rows", SOFTMAX, 12),
    ("inputs", DEPTHWISE, 3),
    ("outputs", CONV, 1),
    ("fixed", CONV, True),
    ("fixed", OPEN, False),
    ("fixed_inside", OPEN, False),
    ("fixed_inside", op("NEG", [value("x", None, 4)], [value("y", None, 4)]), True),
    ("quantized", CONV, True),
    ("quantized", DENSE, False),
    ("quantized", op("ADD", [value("x", 3, dtype="int32")], []), True),
    ("per_channel", CONV, False),
    ("per_channel", op("NEG", [KERNEL], []), True),
    ("per_channel_weights", CONV, True),
    ("per_channel_weights", POOL, None),
    ("zero_point", CONV, (3, -1)),
    ("constant_weights", CONV, True),
    ("constant_weights", DENSE, False),
    ("constant_weights", POOL, None),
    ("constant_bias", CONV, True),
    ("constant_bias", DENSE, False),
    ("constant_bias", DEPTHWISE, None),
    ("constant_parameters", MEAN, True),
    ("constant_parameters", GATHER, False),
    ("constant_inputs", NEGATIVE, 1),
    ("first_constant", NEGATIVE, True),
    ("first_constant", CONV, False),
    ("variables", STATEFUL, 1),
    ("in_loop", CONV, False),
    ("border_dtype", CONV, ()),
    ("same_dtype", POOL, True),
    ("same_dtype", op("CAST", [PICTURE], [value("y", 1, dtype="bool")]), False),
    ("same_shape", TWICE, True),
    ("same_shape", POOL, False),
    ("same_scale", POOL, True),
    ("same_scale", CONV, False),
    ("broadcasts", OPEN, True),
    ("broadcasts", TWICE, False),
    ("distinct_inputs", TWICE, False),
    ("distinct_inputs", OPEN, True),
    ("stride_h", CONV, 2),
    ("stride_h", ONNX_CONV, 2),
    ("stride_w", CONV, 1),
    ("stride_w", DENSE, None),
    ("dilation_h", CONV, 2),
    ("dilation_w", ONNX_CONV, 2),
    ("kernel_h", CONV, 3),
    ("kernel_h", POOL, 2),
    ("kernel_h", DENSE, None),
    ("kernel_w", CONV, 5),
    ("kernel_w", ONNX_CONV, 3),
    ("kernel_area", CONV, 15),
    ("spread_h", CONV, 5),
    ("spread_w", ONNX_CONV, 5),
    ("spread_area", CONV, 25),
    ("spread_area", DENSE, None),
    ("groups", CONV, 1),
    ("groups", GROUPED, 2),
    ("groups", ONNX_CONV, 2),
    ("groups", DEPTHWISE, None),
    ("groups_of_four", GROUPED, False),
    ("groups_of_four", POOL, None),
    ("depth_multiplier", DEPTHWISE, 1),
    ("weight_sum", CONV, 2.0 * 3 * 5 * 6),
    ("weight_sum", DEPTHWISE, 45.0),
    ("weight_sum", DENSE, None),
    ("padding", CONV, "SAME"),
    ("padded", CONV, True),
    ("padded", POOL, False),
    ("padded", DEPTHWISE, False),
    ("padded", DENSE, None),
    ("input_h", CONV, 16),
    ("input_w", CONV, 20),
    ("output_h", CONV, 8),
    ("output_w", CONV, 20),
    ("input_h", DENSE, None),
    ("scale_h", RESIZE, 2.0),
    ("scale_w", RESIZE, 39 / 19),
    ("scale_w", CONV, None),
    ("even_scale", RESIZE, False),
    ("usual_size", TRANSPOSED, True),
    ("usual_size", CONV, None),
    ("activation", CONV, "RELU"),
    ("activation", MEAN, None),
    ("axis", MEAN, (1, 3)),
    ("axis", GATHER, (0,)),
    ("axis", CONV, None),
    ("reduced", MEAN, 96),
    ("reduced_size", MEAN, (16, 6)),
    ("reduces_depth", MEAN, True),
    ("reduces_depth", CUMSUM, True),
    ("smallest_size", MEAN, 6),
    ("smallest_size", DENSE, 1),
    ("permutation", TRANSPOSE, "021"),
    ("permutation_4d", TRANSPOSE, "0132"),
    ("permutation", op("Transpose", [PICTURE], [PICTURE], perm=(0, 3, 1, 2)), "0312"),
    ("beta", SOFTMAX, 2.0),
    ("exclusive", CUMSUM, True),
    ("reverse", CUMSUM, False),
    ("align_corners", RESIZE, True),
    ("half_pixel_centers", RESIZE, False),
    ("keep_num_dims", DENSE, True),
    ("new_axis_mask", SLICE, 0),
    ("shrink_axis_mask", SLICE, 4),
    ("ellipsis_mask", SLICE, 2),
    ("batch_dims", GATHER, 0),
    ("index_rank", GATHER, 2),
    ("index_rank", CONV, None),
    ("step", SLICE, (1, 2, -1, 3)),
    ("step_depth", SLICE, 3),
    ("step_batch", SLICE, (1,)),
    ("bounds", SLICE, 0),
    ("padded_axes", PAD, (1, 2)),
    ("padding_rows", MIRROR, 4),
    ("mirror", MIRROR, "SYMMETRIC"),
    ("lstm", lstm(), "plain"),
    ("lstm", lstm(cell_to_input=9), "peephole"),
    ("lstm", lstm(projection=16), "projection"),
    ("lstm", lstm(norm=20), "normalisation"),
    ("lstm", lstm(without=5), "cifg"),
    ("lstm", CONV, None),
    ("cell_activations", op("GRU", [], [], activations=(b"Sigmoid", "Tanh")), ("Sigmoid", "Tanh")),
    ("cell_activations", CONV, None),
    ("version", CONV, 3),
]


@pytest.mark.parametrize(("name", "node", "expected"), CASES)
def test_of_one_op(name, node, expected):
    assert FUNCTIONS[name](Asked(node)) == expected


def test_all_are_here():
    assert {name for name, _, _ in CASES} == QUANTITIES.keys()


def test_of_where_an_op_stands():
    assert FUNCTIONS["in_loop"](Asked(CONV, in_loop=True)) is True
    assert FUNCTIONS["border_dtype"](Asked(CONV, border=frozenset({PICTURE}))) == ("int8",)
