import numpy as np
import pytest
from support.one_op import one_op
from support.programs import tflite_of
from support.recurrent import recurrent_graph

from edgenn.errors import ArtifactError
from edgenn.ir.ops import Conv2D, Gru, StridedSlice
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.lowering.recurrent.forms import Form, lowered
from edgenn.placement import program_of
from edgenn.placement.tflite_program import SEAM


def test_a_quantised_convolution():
    scale, channels = Quantization.per_tensor(0.1, 3), np.full(6, 0.01, np.float32)
    operands = [
        Tensor("x0", (1, 8, 8, 4), "int8", scale),
        Tensor.constant("w", np.ones((6, 3, 3, 4), np.int8), Quantization.per_channel(channels, 0)),
        Tensor.constant(
            "b", np.ones(6, np.int32), Quantization.per_channel(channels * np.float32(0.1), 0)
        ),
    ]
    graph = one_op(Conv2D((2, 1), "same"), operands, [scale])
    ((node, section),) = tflite_of(graph).nodes
    x, kernel, bias = node.inputs
    assert (node.kind, section, node.name) == ("CONV_2D", 0, "y0")
    assert (x.shape, x.dtype, len(x.scales), x.constant) == ((1, 8, 8, 4), "int8", 1, False)
    assert kernel.constant and kernel.data.shape == (6, 3, 3, 4) and kernel.bytes == 216
    assert (len(kernel.scales), x.zero_points) == (6, (3,))
    assert (bias.dtype, bias.bytes) == ("int32", 24)
    options = node.attributes
    assert (options["stride_h"], options["stride_w"], options["padding"]) == (2, 1, "SAME")
    assert (options["dilation_h_factor"], options["fused_activation_function"]) == (1, "NONE")


def test_open_sizes_and_parameters():
    slice_ = StridedSlice((None, 1, None), (None, 3, None), (1, 1, 1))
    ((node, _),) = tflite_of(one_op(slice_, [Tensor("x0", (None, 4, 3))], [None])).nodes
    assert node.outputs[0].shape == (None, 2, 3)
    assert not node.outputs[0].is_fixed
    assert node.outputs[0].elements == 6
    assert node.inputs[3].data.tolist() == [1, 1, 1]
    assert node.attributes["shrink_axis_mask"] == 0


@pytest.mark.parametrize(("steps", "rounds"), [(7, 7), (None, 1)])
def test_loops_run_their_bodies_as_often_as_there_are_steps(steps, rounds):
    graph = lowered(recurrent_graph(Gru(), steps=steps), Form.LOOP)
    program = tflite_of(graph)
    assert len(program.sections) == 3
    assert program.runs() == {0: 1, 1: rounds, 2: rounds}
    (loop,) = (node for node in program.main.nodes if node.kind == "WHILE")
    assert loop.bodies == (1, 2)
    assert loop.repeats == steps


def test_what_is_no_file():
    with pytest.raises(ArtifactError, match=r"it\.tflite is not a \.tflite file"):
        program_of(b"no file", "tflite", "it.tflite")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("strideW", "stride_w"),
        ("dilationWFactor", "dilation_w_factor"),
        ("fusedActivationFunction", "fused_activation_function"),
        ("keepNumDims", "keep_num_dims"),
        ("halfPixelCenters", "half_pixel_centers"),
    ],
)
def test_names_of_options(key, name):
    assert SEAM.sub("_", key).lower() == name
