"""Files of Keras 3, and everything that is no whole Keras model."""

import os
import stat
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

from edgenn.errors import ModelFileError, UnsupportedError
from edgenn.frontend.keras_import import keras
from edgenn.frontend.loading import load_model

layers = keras.layers


@pytest.fixture
def model():
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(3, 3, activation="hard_sigmoid"), layers.Flatten()]
    )


@pytest.mark.parametrize(
    ("saved_as", "renamed", "format_"),
    [
        ("m.keras", "m.keras", "keras"),
        ("m.keras", "download", "keras"),
        ("m.h5", "m.h5", "h5"),
        ("m.h5", "m.keras", "h5"),
    ],
)
def test_keras_3_file_whatever_its_name(model, tmp_path, saved_as, renamed, format_):
    model.save(tmp_path / saved_as)
    path = (tmp_path / saved_as).rename(tmp_path / renamed)
    loaded = load_model(path)
    x = np.random.default_rng(0).normal(0, 2, (2, 6, 6, 2)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(loaded.model(x)), np.asarray(model(x)))
    assert (loaded.format, loaded.keras_version) == (format_, keras.__version__)


class Doubled(layers.Layer):
    def call(self, x):
        return x * 2


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_custom_layer(tmp_path, name):
    keras.Sequential([keras.Input((3,)), Doubled()]).save(tmp_path / name)
    with pytest.raises(UnsupportedError, match=r"'Doubled'.*register_keras_serializable"):
        load_model(tmp_path / name)
    loaded = load_model(tmp_path / name, custom_objects={"Doubled": Doubled}).model
    np.testing.assert_array_equal(np.asarray(loaded(np.ones((1, 3)))), [[2, 2, 2]])


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_lambda(tmp_path, name):
    keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x * 2)]).save(tmp_path / name)
    with pytest.raises(UnsupportedError, match=r"byte code.*--unsafe"):
        load_model(tmp_path / name)
    loaded = load_model(tmp_path / name, unsafe=True).model
    np.testing.assert_array_equal(np.asarray(loaded(np.ones((1, 3)))), [[2, 2, 2]])


@pytest.mark.parametrize("name", ["m.weights.h5", "weights"])
def test_weights_only(model, tmp_path, name):
    model.save_weights(tmp_path / "m.weights.h5")
    path = (tmp_path / "m.weights.h5").rename(tmp_path / name)
    with pytest.raises(ModelFileError, match=r"holds weights only.*build the model"):
        load_model(path)


def test_missing(tmp_path):
    with pytest.raises(ModelFileError, match="does not exist"):
        load_model(tmp_path / "no.keras")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_not_readable(tmp_path):
    path = tmp_path / "m.keras"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(ModelFileError, match="permission"):
        load_model(path)
    path.chmod(stat.S_IRWXU)


def test_directory_that_is_no_savedmodel(tmp_path):
    with pytest.raises(ModelFileError, match=r"without saved_model\.pb"):
        load_model(tmp_path)


def test_damaged_savedmodel(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 100)
    with pytest.raises(ModelFileError, match="cannot be read as a SavedModel"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (bytes(range(256)), "is not a Keras model"),
        (b"\x1c\0\0\0TFL3", "it is a TFLite file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "cannot be read as HDF5"),
    ],
)
def test_not_a_model(tmp_path, content, message):
    (tmp_path / "m.keras").write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / "m.keras")


@pytest.mark.parametrize("path", ["a\0b", "/dev/null", "x" * 300])
def test_path_that_is_no_file(path):
    with pytest.raises(ModelFileError):
        load_model(path)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.95])
def test_truncated(model, tmp_path, name, part):
    model.save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ModelFileError):
        load_model(tmp_path / name)


def rewrite(path, **members):
    """The archive with other members; ``None`` leaves one out."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**content, **members}.items():
            if data is not None:
                archive.writestr(name, data)


@pytest.mark.parametrize(
    "members",
    [
        {"model.weights.h5": None},
        {"config.json": None},
        {"metadata.json": None},
        {"config.json": b"{"},
        {"metadata.json": b"[]"},
    ],
)
def test_archive_with_a_part_missing_or_wrong(model, tmp_path, members):
    model.save(tmp_path / "m.keras")
    rewrite(tmp_path / "m.keras", **members)
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "m.keras")


def test_archive_with_a_weight_missing(model, tmp_path):
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    with h5py.File(tmp_path / "model.weights.h5", "r+") as file:
        del file["layers/conv2d/vars/1"]
    rewrite(
        tmp_path / "m.keras",
        **{"model.weights.h5": (tmp_path / "model.weights.h5").read_bytes()},
    )
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "m.keras")


def test_hdf5_that_is_not_of_keras(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data"] = [1, 2]
    with pytest.raises(ModelFileError, match="not one of Keras"):
        load_model(tmp_path / "m.h5")


def test_importing_keras_says_nothing():
    code = "import edgenn.frontend.keras_import"
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
