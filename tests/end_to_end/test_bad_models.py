"""Model files that cannot be converted: one line that says what to do, and nothing written."""

import json
import os
import zipfile

import h5py
import keras
import pytest
import tensorflow as tf
from keras import layers
from support.command_line import edgenn, edgenn_here, refused, succeeded


@pytest.fixture(scope="module")
def model():
    return keras.Sequential(
        [keras.Input((8, 8, 1), name="image"), layers.Conv2D(2, 3), layers.Flatten(),
         layers.Dense(3, name="class")]
    )  # fmt: skip


@pytest.fixture
def convert(tmp_path, capfd):
    """Converts a file that a function makes, and watches what is left in the folder."""

    def run(make, name, *options, command="convert"):
        path = tmp_path / name
        make(path)
        before = {file for file in tmp_path.rglob("*") if file.name != "__pycache__"}
        target = ("-o", tmp_path / "deep" / "out") if command == "convert" else ()
        result = edgenn_here(capfd, command, path, *target, *options)
        assert {file for file in tmp_path.rglob("*") if file.name != "__pycache__"} == before
        return result

    return run


def nothing(path):
    """Makes no file at all."""


def text(path):
    path.write_text("I am no model.\n" * 50)


def empty(path):
    path.write_bytes(b"")


def folder(path):
    path.mkdir()
    (path / "notes.txt").write_text("nothing")


def loop(path):
    path.symlink_to(path)


def foreign_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no model")


def broken_config(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{")
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))


def foreign_h5(path):
    with h5py.File(path, "w") as file:
        file["temperatures"] = [1.0, 2.0]


@pytest.mark.parametrize(
    ("make", "name", "problems"),
    [
        (nothing, "no.keras", ["no.keras", "does not exist"]),
        (nothing, "no.h5", ["no.h5", "does not exist"]),
        (nothing, "no_folder", ["no_folder", "does not exist"]),
        (loop, "loop.keras", ["loop.keras"]),
        (folder, "folder.keras", ["folder.keras"]),
        (folder, "folder", ["folder"]),
        (text, "model.keras", ["model.keras"]),
        (text, "model.h5", ["model.h5"]),
        (text, "model.hdf5", ["model.hdf5"]),
        (text, "model.txt", ["model.txt", ".keras"]),
        (text, "model", ["model", ".keras"]),
        (empty, "model.keras", ["model.keras"]),
        (empty, "model.h5", ["model.h5"]),
        (foreign_zip, "model.keras", ["model.keras"]),
        (broken_config, "model.keras", ["model.keras"]),
        (foreign_h5, "model.h5", ["model.h5"]),
    ],
)
@pytest.mark.parametrize("command", ["convert", "inspect"])
def test_no_model(convert, make, name, problems, command):
    refused(convert(make, name, command=command), 2, *problems)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(convert):
    def make(path):
        text(path)
        path.chmod(0)

    refused(convert(make, "model.keras"), 2, "model.keras", "ermission")


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_file_cut_off(convert, model, tmp_path, suffix, share):
    whole = tmp_path / f"whole.{suffix}"
    model.save(whole)
    content = whole.read_bytes()
    cut = content[: int(share * len(content))]
    refused(convert(lambda path: path.write_bytes(cut), f"cut.{suffix}"), 2, f"cut.{suffix}")


@pytest.mark.parametrize("name", ["weights.h5", "model.weights.h5"])
def test_a_file_of_weights_only(convert, model, tmp_path, name):
    def make(path):
        weights = tmp_path / "w.weights.h5"
        model.save_weights(weights)
        weights.rename(path)

    refused(convert(make, name), 2, name, "weights")


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("command", ["convert", "inspect"])
def test_byte_code_of_a_lambda(convert, suffix, command):
    model = keras.Sequential(
        [keras.Input((4,)), layers.Lambda(lambda x: x * 2, name="double"), layers.Dense(2)]
    )
    result = convert(model.save, f"lambda.{suffix}", command=command)
    refused(result, 3, f"lambda.{suffix}", "Lambda 'double'", "--unsafe")


@pytest.mark.parametrize("command", ["convert", "inspect"])
def test_byte_code_that_is_allowed_to_run(tmp_path, capfd, command):
    model = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2, name="double")])
    model.save(tmp_path / "lambda.keras")
    target = ("-o", tmp_path / "out") if command == "convert" else ()
    succeeded(edgenn_here(capfd, command, tmp_path / "lambda.keras", *target, "--unsafe"))


@keras.saving.register_keras_serializable("edgenn_tests")
class Spectrum(layers.Layer):
    """The Fourier transform has no operator in either format."""

    def call(self, x):
        return keras.ops.rfft(x)[0]


@keras.saving.register_keras_serializable("edgenn_tests")
class Opaque(layers.Layer):
    """Calls TensorFlow behind the back of Keras, which then cannot say what happens inside."""

    def call(self, x):
        return tf.nn.relu(x)


@pytest.mark.parametrize(
    ("layer", "shape", "problems"),
    [
        (
            Spectrum(name="spectrum"),
            (8,),
            ["ears/spectrum/rfft", "operation RFFT", "CONTRIBUTING.md"],
        ),
        (Opaque(name="odd"), (8,), ["ears/odd", "class Opaque", "keras.ops", "CONTRIBUTING.md"]),
        (
            layers.Conv3D(2, 2, name="volume"),
            (4, 4, 4, 1),
            ["ears/volume", "3-D windows are not supported"],
        ),
    ],
)
@pytest.mark.parametrize("command", ["convert", "inspect"])
def test_a_layer_that_is_not_supported(convert, layer, shape, problems, command):
    ears = keras.Sequential([keras.Input(shape), layer], name="ears")
    model = keras.Sequential([keras.Input(shape), layers.ReLU(), ears])
    result = convert(model.save, "model.keras", command=command)
    refused(result, 3, *problems)


def test_a_class_that_the_file_does_not_hold(convert, tmp_path):
    class Unregistered(layers.Layer):
        def call(self, x):
            return x + 1

    model = keras.Sequential([keras.Input((4,)), Unregistered(name="mine")])
    refused(convert(model.save, "model.keras"), 3, "Unregistered", "--custom")


def test_with_debug_there_is_a_traceback(convert):
    result = convert(text, "model.keras", "--debug")
    assert result.returncode == 2
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: ")


def test_in_a_process_of_its_own(tmp_path):
    text(tmp_path / "model.keras")
    refused(edgenn("convert", "model.keras", "-o", "out", cwd=tmp_path), 2, "model.keras")
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
