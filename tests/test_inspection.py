import pytest
from support.artifacts import conv_graph, int8_conv_graph, write_onnx, write_tflite
from support.recurrent import recurrent_graph
from support.stepping import write_artifact

from edgenn.errors import ArtifactError
from edgenn.inspection import inspect_artifact, is_artifact
from edgenn.ir.ops import Lstm
from edgenn.runtime import Session


def test_tflite(tmp_path):
    path = write_tflite(int8_conv_graph(), tmp_path)
    inspection = inspect_artifact(path)
    assert inspection.format == "tflite"
    assert inspection.op_counts == {"CONV_2D": 1}
    assert inspection.size_bytes == path.stat().st_size
    assert inspection.inputs == Session(path).inputs
    assert inspection.inputs[0].scale == 0.5


def test_onnx(tmp_path):
    path = write_onnx(conv_graph(), tmp_path)
    inspection = inspect_artifact(path)
    assert inspection.op_counts == {"Transpose": 2, "Conv": 1}
    assert inspection.inputs == Session(path).inputs
    assert inspection.outputs == Session(path).outputs


@pytest.mark.parametrize("format_", ["tflite", "onnx"])
def test_a_file_that_runs_one_step(tmp_path, format_):
    graph = recurrent_graph(Lstm(units=4), outputs=("sequence",))
    path = write_artifact(graph, tmp_path, format_=format_)
    (note,) = inspect_artifact(path).notes
    assert note == "runs one step; at the next, rnn/h_next → rnn/h, rnn/c_next → rnn/c"
    assert inspect_artifact(path).inputs == Session(path).inputs


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize("content", [b"", b"rubbish that is no model", bytes(100)])
def test_rubbish(tmp_path, suffix, content):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    with pytest.raises(ArtifactError):
        inspect_artifact(path)


def test_other_paths(tmp_path):
    with pytest.raises(ArtifactError, match="does not exist"):
        inspect_artifact(tmp_path / "net.onnx")
    with pytest.raises(ArtifactError, match="no artifact"):
        inspect_artifact(tmp_path / "net.keras")
    assert is_artifact("a.onnx") and not is_artifact("a.h5")
