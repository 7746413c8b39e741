"""Artifacts that another converter wrote, judged by the Keras model."""

import shutil

import numpy as np
import pytest
from support.command_line import edgenn, succeeded
from support.digits import MODEL, RECIPE
from support.real_models import real

from edgenn import check, convert
from edgenn.drift.weights import held_weights
from edgenn.elsewhere import artifacts_to_check, matched
from edgenn.errors import ArtifactError, UsageError
from edgenn.runtime.tensor_info import TensorInfo


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    return convert(MODEL, folder / "b", quantize=["float32", "int8"], calibration=RECIPE)


def test_files_of_a_stranger_climb_the_same_ladder(bundle, tmp_path):
    names = ["a.tflite", "b.tflite", "c.onnx"]
    files = ["digits_cnn.float32.tflite", "digits_cnn.int8.tflite", "digits_cnn.int8.onnx"]
    paths = [shutil.copy(bundle.file(f), tmp_path / n) for f, n in zip(files, names, strict=True)]
    report = check(paths, RECIPE, model=MODEL, history=False)
    labels = [rung.label for rung in report.rungs]
    assert labels == [
        "float graph",
        "float32 a cpu-reference",
        "float32 a cpu-xnnpack",
        "int8 b graph",
        "int8 b cpu-reference",
        "int8 b cpu-xnnpack",
        "int8 c cpu-onnxruntime",
    ]
    assert report.exit_code == 0 and not report.notes, "the weights are those of the model"


def test_files_without_a_model_are_refused(bundle, tmp_path):
    path = shutil.copy(bundle.file("digits_cnn.int8.tflite"), tmp_path / "a.tflite")
    with pytest.raises(UsageError, match="give the Keras model with --reference"):
        check(path, RECIPE)


def test_a_file_that_the_manifest_does_not_know_is_not_judged(bundle, tmp_path):
    folder = tmp_path / "b"
    shutil.copytree(bundle.path, folder)
    stranger = shutil.copy(bundle.file("digits_cnn.int8.tflite"), folder / "other.tflite")
    for paths in (folder, stranger):
        with pytest.raises(ArtifactError, match=r"other.tflite is not in the manifest"):
            artifacts_to_check(paths, MODEL)


def test_a_file_that_was_changed_is_not_judged(bundle, tmp_path):
    folder = tmp_path / "b"
    shutil.copytree(bundle.path, folder)
    file = folder / "digits_cnn.int8.tflite"
    file.write_bytes(file.read_bytes() + b"\0")
    for paths in (folder, file):
        with pytest.raises(ArtifactError, match="its hash differs"):
            artifacts_to_check(paths, MODEL)
    said = edgenn("check", folder, "--data", RECIPE, cwd=tmp_path)
    assert said.returncode == 2 and "its hash differs" in said.stderr


def test_ports_are_found_by_name_then_by_shape():
    own = {"image": (None, 8, 8, 1), "state": (None, 4), "other": (None, 4)}
    infos = [
        TensorInfo("serving_default_other:0", (1, 4), "float32"),
        TensorInfo("x", (1, 8, 8, 1), "float32"),
        TensorInfo("y", (1, 4), "float32"),
    ]
    assert matched(own, infos, "") == {
        "image": "x",
        "other": "serving_default_other:0",
        "state": "y",
    }
    with pytest.raises(ArtifactError, match=r"no input is 'image' \(None, 8, 8, 1\)"):
        matched(own, infos[:1], "f: no input is")


@pytest.mark.parametrize("scheme", ["float32", "int8"])
@pytest.mark.parametrize("format_", ["tflite", "onnx"])
def test_weights_are_found_in_every_file_of_ours(bundle, scheme, format_):
    _, truth = artifacts_to_check(bundle.path, MODEL)
    held = held_weights(truth.graph(), bundle.file(f"digits_cnn.{scheme}.{format_}"))
    assert held.found == 10 and held.missing == () and held.note("f") == ""


def test_published_pairs_that_are_none():
    model = real("mlperf-tiny-kws/kws_ref_model")
    _, truth = artifacts_to_check(model.with_suffix(".tflite"), model)
    held = held_weights(truth.graph(), model.with_suffix(".tflite"))
    assert held.found == 0 and "does not hold the weights of this model" in held.note("f")


def test_published_pairs_that_are_one():
    folder = real("mlperf-tiny-ic")
    _, truth = artifacts_to_check(
        folder / "pretrainedResnet_quant.tflite", folder / "pretrainedResnet.h5"
    )
    held = held_weights(truth.graph(), folder / "pretrainedResnet_quant.tflite")
    assert (held.found, held.missing) == (10, ())


def test_the_command(bundle, tmp_path):
    path = shutil.copy(bundle.file("digits_cnn.int8.tflite"), tmp_path / "a.tflite")
    np.save(tmp_path / "x.npy", np.zeros((3, 8, 8, 1), np.float32))
    command = ("check", "--reference", MODEL, path, "--data", "x.npy", "--no-history")
    said = succeeded(edgenn(*command, cwd=tmp_path))
    assert "int8" in said.stdout and "cpu-reference" in said.stdout
