import numpy as np
import pytest
from support.artifacts import conv_graph, int8_conv_graph, write_onnx, write_tflite
from support.bundles import make_bundle
from support.recurrent import recurrent_graph
from support.stepping import write_artifact

from edgenn.errors import ArtifactError
from edgenn.inspection import artifact_of_file, artifacts_at, inspect_artifact, is_artifact
from edgenn.ir.ops import Lstm
from edgenn.quantization.schemes import Gates, Scheme
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


def test_a_file_of_a_bundle_is_what_the_manifest_says(tmp_path):
    bundle = make_bundle(tmp_path)
    for artifact in bundle.manifest.artifacts:
        assert artifact_of_file(bundle.file(artifact.file)) == artifact
    assert artifacts_at(bundle.path) == bundle.manifest.artifacts
    (first, _) = bundle.manifest.artifacts
    assert artifacts_at(bundle.file(first.file)) == (first,)


@pytest.mark.parametrize("write", [write_tflite, write_onnx])
def test_a_file_from_elsewhere_says_what_it_knows(tmp_path, write):
    path = write(conv_graph(2), tmp_path)
    artifact = artifact_of_file(path)
    assert (artifact.file, artifact.format, artifact.scheme) == (path.name, path.suffix[1:], "")
    assert artifact.inputs == Session(path).inputs and artifact.inputs[0].shape[0] == 2
    assert artifact.size_bytes == path.stat().st_size
    assert artifact.recurrent is None and artifact.time_axes is None


def test_a_file_that_is_another_than_the_manifest_says(tmp_path):
    bundle = make_bundle(tmp_path)
    changed = write_tflite(int8_conv_graph(), bundle.path, "net.float32.tflite")
    assert artifact_of_file(changed).scheme == ""
    assert artifact_of_file(changed).inputs[0].dtype == "int8"
    other = write_tflite(conv_graph(), bundle.path, "other.tflite")
    assert artifact_of_file(other).scheme == ""


def test_manifests_of_other_programs(tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "my web page"}')
    assert artifact_of_file(write_tflite(conv_graph(), tmp_path)).format == "tflite"


def test_states_in_the_file_s_own_numbers(tmp_path):
    rng = np.random.default_rng(0)
    graph = recurrent_graph(Lstm(units=4), outputs=("sequence",))
    (name,) = graph.inputs
    x = rng.normal(size=(8, *(size or 6 for size in graph.tensors[name].shape[1:])))
    samples = {name: x.astype(np.float32)}
    for scheme, gates in ((Scheme.FLOAT32, Gates.FLOAT32), (Scheme.INT8, Gates.INT8)):
        path = write_artifact(graph, tmp_path, scheme=scheme, gates=gates, samples=samples)
        artifact = artifact_of_file(path)
        infos = {info.name: info for info in artifact.inputs}
        assert artifact.data_inputs == [name] and artifact.time_axes.inputs == {name: 1}
        assert len(artifact.states) == 2
        for state in artifact.states:
            info = infos[state.input]
            assert state.initial == (info.zero_point,)
            assert (state.shape, state.dtype) == (info.shape, info.dtype)
    assert any(state.dtype == "int8" for state in artifact.states)


def test_nothing_there(tmp_path):
    with pytest.raises(ArtifactError, match="does not exist"):
        artifacts_at(tmp_path / "build")
    with pytest.raises(ArtifactError, match="is no edgenn bundle"):
        artifacts_at(tmp_path)
