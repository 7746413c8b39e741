import hashlib
import json
import os
from dataclasses import replace

import pytest

from edgenn.bundle import Bundle, require_writable, sha256_of_source, write_bundle
from edgenn.errors import ArtifactError, OutputError
from edgenn.manifest import (
    Artifact,
    Calibration,
    Manifest,
    Recurrent,
    Reference,
    Source,
    State,
    TimeAxes,
)
from edgenn.runtime import TensorInfo

FILES = {"net.int8.tflite": b"TFL3 int8", "net.float32.onnx": b"onnx", "reference.npz": b"npz"}


def sha(content):
    return hashlib.sha256(content).hexdigest()


def artifact(name, content):
    _, scheme, format_ = name.split(".")
    x = TensorInfo("x", (None, 4, 4, 3), "int8", 0.5, -3)
    y = TensorInfo("y", (None, 10), "float32")
    return Artifact(
        name, format_, scheme, sha(content), len(content), (x,), (y,), {"conv_2d": 2}, 1234
    )


MANIFEST = Manifest(
    name="net",
    edgenn_version="0.1.0",
    package_versions={"keras": "3.15.1"},
    source=Source("net.keras", "keras", "ab" * 32),
    options={"quantize": ["int8"], "batch": None},
    artifacts=tuple(artifact(name, content) for name, content in list(FILES.items())[:2]),
    calibration=Calibration("cd" * 32, 200),
    reference=Reference("reference.npz", sha(b"npz"), "ef" * 32),
    timings_s={"frontend": 0.5},
)


def test_round_trip(tmp_path):
    write_bundle(tmp_path / "out", FILES, MANIFEST)
    bundle = Bundle.load(tmp_path / "out")
    assert bundle.manifest == MANIFEST
    assert list(bundle.artifacts) == ["net.int8.tflite", "net.float32.onnx"]
    assert bundle.file("net.int8.tflite").read_bytes() == b"TFL3 int8"


def test_the_states_of_a_step(tmp_path):
    states = (
        State("lstm/h", "lstm/h_next", (None, 4), "int8", (3,)),
        State("h0", "h0_next", (None, 2), "float32", None),
        State("rnn/state", "rnn/state_next", (None, 2), "float32", (0.5, 1.0)),
    )
    step = replace(
        MANIFEST.artifacts[0],
        inputs=tuple(TensorInfo(n, (None, 4), "int8") for n in ("x", "lstm/h", "h0", "rnn/state")),
        recurrent=Recurrent("step", "float32"),
        states=states,
        time_axes=TimeAxes({"x": 1}, {}),
    )
    manifest = replace(MANIFEST, artifacts=(step, MANIFEST.artifacts[1]))
    write_bundle(tmp_path / "out", FILES, manifest)
    read = Bundle.load(tmp_path / "out").manifest
    assert read == manifest
    assert read.artifacts[0].data_inputs == ["x", "h0"]
    assert read.artifacts[1].data_inputs == ["x"]


def test_without_calibration_and_reference(tmp_path):
    manifest = replace(MANIFEST, calibration=None, reference=None)
    write_bundle(tmp_path, {k: FILES[k] for k in list(FILES)[:2]}, manifest)
    assert Bundle.load(tmp_path).manifest == manifest


def test_only_timings_differ_between_two_conversions():
    other = replace(MANIFEST, timings_s={"frontend": 0.7})
    first, second = json.loads(MANIFEST.to_json()), json.loads(other.to_json())
    assert {key for key in first if first[key] != second[key]} == {"timings_s"}


def test_replaces_a_bundle_with_other_files(tmp_path):
    write_bundle(tmp_path, FILES, MANIFEST)
    manifest = replace(MANIFEST, artifacts=MANIFEST.artifacts[1:], reference=None)
    write_bundle(tmp_path, {"net.float32.onnx": b"onnx"}, manifest)
    assert {entry.name for entry in tmp_path.iterdir()} == {"manifest.json", "net.float32.onnx"}


def test_missing_and_changed_files(tmp_path):
    write_bundle(tmp_path, FILES, MANIFEST)
    (tmp_path / "net.int8.tflite").write_bytes(b"TFL3 int9")
    with pytest.raises(ArtifactError, match="its hash differs"):
        Bundle.load(tmp_path)
    (tmp_path / "net.int8.tflite").unlink()
    with pytest.raises(ArtifactError, match="is missing"):
        Bundle.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "no manifest"),
        ("[]", "no manifest"),
        ('{"schema_version": 99}', "schema version 99"),
        ('{"schema_version": 1}', "damaged"),
    ],
)
def test_manifests_that_cannot_be_read(tmp_path, text, problem):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ArtifactError, match=problem):
        Bundle.load(tmp_path)


def test_manifest_that_names_files_elsewhere(tmp_path):
    entry = replace(MANIFEST.artifacts[0], file="../secret.tflite")
    manifest = replace(MANIFEST, artifacts=(entry,))
    (tmp_path / "manifest.json").write_text(manifest.to_json())
    with pytest.raises(ArtifactError, match="outside the bundle"):
        Bundle.load(tmp_path)


def test_folders_that_are_no_bundle(tmp_path):
    with pytest.raises(ArtifactError, match="does not exist"):
        Bundle.load(tmp_path / "missing")
    with pytest.raises(ArtifactError, match="no edgenn bundle"):
        Bundle.load(tmp_path)


def test_other_peoples_folders_are_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(OutputError, match="holds something else"):
        write_bundle(tmp_path, FILES, MANIFEST)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_other_peoples_files_in_a_bundle_are_left_alone(tmp_path):
    write_bundle(tmp_path, FILES, MANIFEST)
    (tmp_path / "notes.txt").write_text("precious")
    with pytest.raises(OutputError, match=r"such as notes\.txt"):
        require_writable(tmp_path)


def test_another_programs_manifest_is_left_alone(tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "a web page"}')
    with pytest.raises(OutputError, match="no manifest of edgenn"):
        require_writable(tmp_path)


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="is no folder"):
        require_writable(tmp_path / "out")


def test_hash_of_a_folder_sees_names_and_contents(tmp_path):
    (tmp_path / "variables").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"a")
    (tmp_path / "variables" / "data").write_bytes(b"b")
    before = sha256_of_source(tmp_path)
    (tmp_path / "variables" / "data").rename(tmp_path / "variables" / "data2")
    assert sha256_of_source(tmp_path) != before


def test_places_where_no_folder_can_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file is no folder"):
        require_writable(tmp_path / "file" / "out" / "deeper")
    with pytest.raises(OutputError, match="cannot be written"):
        write_bundle("/proc/self/task/out", FILES, MANIFEST)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="no permission"):
        require_writable(tmp_path / "out")
