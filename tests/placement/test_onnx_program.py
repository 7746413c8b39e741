import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgenn.errors import ArtifactError
from edgenn.placement import peak_activation, place, program_of
from edgenn.placement.macs import macs_of


def model_of(nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        [numpy_helper.from_array(a, n) for n, a in dict(constants).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def test_shapes_are_inferred_and_constants_folded():
    nodes = [
        helper.make_node("Constant", [], ["zero"], value=numpy_helper.from_array(np.float32(0))),
        helper.make_node("Add", ["w", "zero"], ["w1"]),
        helper.make_node("Conv", ["x", "w1"], ["h"], kernel_shape=[3, 3], strides=[2, 1]),
        helper.make_node("Relu", ["h"], ["y"]),
    ]
    content = model_of(
        nodes, {"x": ["n", 2, 8, 8]}, {"y": None}, {"w": np.ones((5, 2, 3, 3), np.float32)}
    )
    program = program_of(content, "onnx")
    folded, conv, relu = program.main.nodes
    assert folded.is_folded and not conv.is_folded
    assert conv.inputs[1].constant
    assert conv.outputs[0].shape == (None, 5, 3, 6)
    assert conv.attributes["strides"] == (2, 1)
    assert macs_of(conv) == 5 * 3 * 6 * 2 * 9
    assert peak_activation(program).bytes == 4 * (2 * 8 * 8 + 5 * 3 * 6)
    assert relu.name == "y"


def test_a_scan_reads_from_outside():
    body = helper.make_graph(
        [
            helper.make_node("Add", ["s", "step"], ["t"]),
            helper.make_node("Mul", ["t", "k"], ["s1"]),
            helper.make_node("Identity", ["s1"], ["o"]),
        ],
        "body",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, [3]) for n in ("s", "step")],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, [3]) for n in ("s1", "o")],
    )
    nodes = [
        helper.make_node("Neg", ["k0"], ["k"]),
        helper.make_node("Scan", ["s0", "x"], ["s2", "y"], body=body, num_scan_inputs=1),
    ]
    shapes = {"k0": [3], "s0": [3], "x": [6, 3]}
    program = program_of(model_of(nodes, shapes, {"s2": [3], "y": [6, 3]}), "onnx")
    _, scan = program.main.nodes
    assert [value.name for value in scan.captured] == ["k"]
    assert program.runs() == {0: 1, 1: 6}
    assert [node.kind for node, section in program.nodes if section == 1] == [
        "Add",
        "Mul",
        "Identity",
    ]


@pytest.mark.parametrize("content", [b"", b"no file", onnx.ModelProto().SerializeToString()])
def test_what_is_no_file(content):
    with pytest.raises(ArtifactError, match=r"it\.onnx"):
        program_of(content, "onnx", "it.onnx")


def test_real_numbers_between_integers_are_stored_as_integers():
    constants = {"s": np.float32(0.1), "z": np.uint8(3), "w8": np.ones((4, 3), np.int8)}
    constants |= {"ws": np.full(3, 0.5, np.float32), "wz": np.zeros(3, np.int8)}
    nodes = [
        helper.make_node("DequantizeLinear", ["w8", "ws", "wz"], ["w"], axis=1),
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("QuantizeLinear", ["h", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("Relu", ["d"], ["y"]),
    ]
    program = program_of(model_of(nodes, {"x": [2, 4]}, {"y": [2, 3]}, constants), "onnx")
    _, matmul, quantize, dequantize, relu = program.main.nodes
    assert (matmul.inputs[1].constant, matmul.inputs[1].scales) == (True, (0.5, 0.5, 0.5))
    assert (matmul.outputs[0].stored, relu.inputs[0].stored) == ("uint8", "uint8")
    assert (relu.inputs[0].scales, relu.inputs[0].zero_points) == ((np.float32(0.1),), (3,))
    assert [op.dtype for op in place(program, None).ops] == ["uint8", "uint8", "uint8", "float32"]
    assert dequantize.outputs[0] == relu.inputs[0] and quantize.outputs[0].dtype == "uint8"
