"""What of a file comes back besides its ops, and files that cannot be read."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st
from support.altered import altered
from support.artifacts import conv_graph, int8_conv_graph, two_input_graph
from support.fused_lstm import float_weights, lstm_graph
from support.one_op import one_op
from support.read_back import assert_read_back, assert_same_border
from support.recurrent import recurrent_graph

from edgenn.errors import ArtifactError, EdgennError, UnsupportedError
from edgenn.export.tflite.exporter import to_tflite
from edgenn.importing import read_tflite_graph
from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Gru
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.ir.stepping import step_of, with_step
from edgenn.ir.tensor import Tensor
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.lowering.recurrent.step import to_step
from edgenn.runtime.step_info import State, StepInfo

GRAPHS = {
    "float": conv_graph(),
    "fixed batch": conv_graph(2),
    "int8": int8_conv_graph(),
    "two inputs": two_input_graph(),
}
INTACT = [
    to_tflite(conv_graph()),
    to_tflite(to_loops(recurrent_graph(Gru(units=2), steps=3))),
    to_tflite(lstm_graph(FusedLstm(), (None, 3, 2), float_weights(np.random.default_rng(0), 2, 2))),
]


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_tensors_are_what_they_were(graph):
    read = read_tflite_graph(to_tflite(graph))
    assert_same_border(read, graph)
    assert read.tensors.keys() == graph.tensors.keys()
    for name, tensor in graph.tensors.items():
        mine = read.tensors[name]
        assert (mine.shape, mine.dtype) == (tensor.shape, tensor.dtype)
        assert mine.quantization == tensor.quantization
        assert mine.is_constant == tensor.is_constant
        if tensor.is_constant:
            np.testing.assert_array_equal(mine.data, tensor.data)
    assert read.ops == graph.ops


def test_a_path_reads_as_its_bytes_do(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(to_tflite(conv_graph()))
    for source in (path, str(path)):
        assert read_tflite_graph(source).ops == read_tflite_graph(path.read_bytes()).ops


def test_an_input_that_nothing_reads_stays():
    builder = GraphBuilder("net")
    builder.input("unread", (None, 2))
    x = builder.input("x", (None, 3))
    graph = builder.finish({"y": builder.add(ops.Relu(), [x], "y")})
    read = read_tflite_graph(to_tflite(graph))
    assert list(read.inputs) == ["unread", "x"]


def test_one_tensor_under_two_names():
    builder = GraphBuilder("net")
    y = builder.add(ops.Relu(), [builder.input("x", (None, 3))], "y")
    read = read_tflite_graph(to_tflite(builder.finish({"one": y, "two": y})))
    assert dict(read.outputs) == {"one": "y", "two": "y"}


def test_a_step_is_a_step_again():
    graph = to_step(recurrent_graph(Gru(units=4), outputs=("sequence",)))
    read = read_tflite_graph(to_tflite(graph))
    assert step_of(read) == step_of(graph) is not None
    assert_same_border(read, graph)


def test_states_written_by_hand_are_kept():
    info = StepInfo((State("x", "y"),))
    builder = GraphBuilder("net")
    y = builder.add(ops.Tanh(), [builder.input("x", (None, 3))], "y")
    graph = with_step(builder.finish({"y": y}), info)
    assert step_of(read_tflite_graph(to_tflite(graph))) == info


# files that cannot be read


def test_no_tflite_at_all(tmp_path):
    with pytest.raises(ArtifactError, match=r"model\.bin is no"):
        read_tflite_graph(b"0" * 20, "model.bin")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_tflite_graph(tmp_path / "absent.tflite")


@pytest.mark.parametrize("length", [20, 200, 600])
def test_a_file_that_is_cut_off(length):
    with pytest.raises(ArtifactError):
        read_tflite_graph(to_tflite(conv_graph())[:length])


def test_an_op_that_there_is_no_operator_for():
    def change(model):
        model.operatorCodes[0].builtinCode = schema.BuiltinOperator.LSH_PROJECTION
        model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.LSH_PROJECTION

    with pytest.raises(UnsupportedError, match=r"net: LSH_PROJECTION cannot be read.*'conv'"):
        read_tflite_graph(altered(to_tflite(conv_graph()), change), "net")


def test_a_custom_op_is_named():
    def change(model):
        model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
        model.operatorCodes[0].customCode = "MyOp"

    with pytest.raises(UnsupportedError, match="MyOp cannot be read"):
        read_tflite_graph(altered(to_tflite(conv_graph()), change))


def test_scales_that_fit_no_axis():
    def change(model):
        for tensor in model.subgraphs[0].tensors:
            if tensor.name == b"kernel":
                tensor.quantization.scale = np.ones(2, np.float32)

    with pytest.raises(ArtifactError, match="2 scales do not fit 'kernel'"):
        read_tflite_graph(altered(to_tflite(int8_conv_graph()), change))


def test_data_that_do_not_fit_their_shape():
    def change(model):
        for tensor in model.subgraphs[0].tensors:
            if tensor.name == b"conv/bias":
                tensor.shape = [4]

    with pytest.raises(ArtifactError, match="'conv/bias'"):
        read_tflite_graph(altered(to_tflite(conv_graph()), change))


def with_body(number: int) -> bytes:
    """A loop that says which subgraph its body is."""

    def change(model):
        for op in model.subgraphs[0].operators:
            if hasattr(op.builtinOptions, "bodySubgraphIndex"):
                op.builtinOptions.bodySubgraphIndex = number

    graph = to_loops(recurrent_graph(Gru(units=4), batch=1, steps=5))
    return altered(to_tflite(graph), change)


@pytest.mark.parametrize(("number", "words"), [(9, "subgraph 9 of 3"), (0, "runs itself")])
def test_a_loop_whose_body_is_none(number, words):
    with pytest.raises(ArtifactError, match=words):
        read_tflite_graph(with_body(number))


def test_the_folder_of_a_path_is_no_file(tmp_path: Path):
    with pytest.raises(ArtifactError):
        read_tflite_graph(tmp_path)


def test_a_tensor_that_nothing_makes():
    def change(model):
        model.subgraphs[0].operators[0].inputs = [3, 1, 2]

    with pytest.raises(ArtifactError, match="'conv' is read, but nothing makes it"):
        read_tflite_graph(altered(to_tflite(conv_graph()), change))


def test_a_reshape_to_a_scalar():
    """The empty vector of its sizes has no buffer."""
    graph = one_op(ops.Reshape(()), [Tensor("x", (1, 1))], [None])
    assert_read_back(to_tflite(graph), {"x": np.ones((1, 1), np.float32)})


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_damaged_files_end_in_an_error_for_people(data):
    content = bytearray(data.draw(st.sampled_from(INTACT)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(8, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    with suppress(EdgennError):
        read_tflite_graph(bytes(content))
