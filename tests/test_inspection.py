import pytest
from support.artifacts import conv_graph, int8_conv_graph, write_onnx, write_tflite

from edgenn.errors import ArtifactError
from edgenn.inspection import inspect_artifact, is_artifact
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
