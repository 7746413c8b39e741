"""Models of every outer shape, from the file through both formats back to numbers."""

import keras
import numpy as np
import pytest
from keras import layers
from support.command_line import edgenn_here, refused, succeeded

import edgenn
from edgenn.bundle import Bundle
from edgenn.errors import UsageError

RANDOM = np.random.default_rng(12)


@pytest.fixture
def keep(tmp_path):
    """Saves a model and its samples; gives their paths."""

    def save(model, **samples):
        model.save(tmp_path / "model.keras")
        np.savez(tmp_path / "samples.npz", **samples)
        return tmp_path / "model.keras", tmp_path / "samples.npz"

    return save


@pytest.fixture
def convert(tmp_path, capfd):
    """``edgenn convert`` to float32 and int8; gives the bundle."""

    def run(model, samples, *options, quantize=("float32", "int8")):
        schemes = [word for scheme in quantize for word in ("--quantize", scheme)]
        calibration = ("--calibration", samples)
        target = tmp_path / "out"
        arguments = ("convert", model, "-o", target, *schemes, *calibration, *options)
        succeeded(edgenn_here(capfd, *arguments))
        return Bundle.load(target)

    return run


def keras_says(model, *inputs):
    result = model.predict(inputs[0] if len(inputs) == 1 else list(inputs), verbose=0)
    return result if isinstance(result, list) else [result]


def near(actual, expected, scheme):
    """float32 within rounding, int8 within a few steps of its range."""
    span = float(np.ptp(expected)) or 1.0
    tolerance = 1e-5 * max(1.0, float(np.abs(expected).max())) if scheme == "float32" else span / 12
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= tolerance


@pytest.fixture(scope="module")
def two_by_two():
    """Inputs ``photo`` and ``flags``; outputs ``class`` and ``box``."""
    keras.utils.set_random_seed(1)
    photo, flags = keras.Input((6, 6, 2), name="photo"), keras.Input((3,), name="flags")
    x = layers.Conv2D(4, 3, activation="relu")(photo)
    x = layers.Concatenate()([layers.GlobalMaxPooling2D()(x), flags])
    outputs = [layers.Dense(3, name="class")(x), layers.Dense(4, activation="tanh", name="box")(x)]
    return keras.Model([photo, flags], outputs, name="two_by_two")


def test_several_inputs_and_outputs(two_by_two, keep, convert, tmp_path, capfd):
    samples = {
        "photo": RANDOM.normal(size=(40, 6, 6, 2)).astype(np.float32),
        "flags": RANDOM.normal(size=(40, 3)).astype(np.float32),
    }
    model, data = keep(two_by_two, **samples)
    bundle = convert(model, data)
    expected = dict(zip(("class", "box"), keras_says(two_by_two, *samples.values()), strict=True))
    for name, artifact in bundle.artifacts.items():
        assert {port.name for port in artifact.inputs} == {"photo", "flags"}
        assert {port.name for port in artifact.outputs} == {"class", "box"}
        output = tmp_path / "y.npz"
        run = ("run", bundle.file(name), "--input", data, "--output", output)
        said = succeeded(edgenn_here(capfd, *run))
        assert "class (40, 3)" in said.stdout and "box (40, 4)" in said.stdout
        with np.load(output) as arrays:
            for key, value in expected.items():
                near(arrays[key], value, artifact.scheme)
    said = succeeded(edgenn_here(capfd, "check", bundle.path, "--data", data))
    assert "output class" in said.stdout and "output box" in said.stdout


def test_integers_into_an_embedding(keep, convert, tmp_path, capfd):
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((12,), dtype="int32", name="words"),
            layers.Embedding(50, 8),
            layers.Conv1D(6, 3, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(4, name="topic"),
        ]
    )
    words = RANDOM.integers(0, 50, (40, 12))
    expected = keras_says(model, words)[0]
    bundle = convert(*keep(model, words=words))
    for name, artifact in bundle.artifacts.items():
        assert artifact.inputs[0].dtype == "int32" and artifact.inputs[0].scale is None
        result = edgenn.Session(bundle.file(name)).run({"words": words})
        near(np.asarray(result), expected, artifact.scheme)
    said = succeeded(edgenn_here(capfd, "check", bundle.path, "--data", tmp_path / "samples.npz"))
    assert "NaN" not in said.stdout


@pytest.fixture(scope="module")
def small(small_model, images):
    model = keras.models.load_model(small_model)
    return model, keras_says(model, images)[0]


@pytest.mark.parametrize("io", ["int8", "uint8", "float32"])
def test_dtypes_of_inputs_and_outputs(small_model, small, images, convert, tmp_path, io):
    np.save(tmp_path / "x.npy", images)
    bundle = convert(small_model, tmp_path / "x.npy", "--io", io)
    artifact = bundle.artifacts["small.int8.tflite"]
    assert [port.dtype for port in (*artifact.inputs, *artifact.outputs)] == [io, io]
    assert bundle.artifacts["small.int8.onnx"].inputs[0].dtype == "float32"
    session = edgenn.Session(bundle.file("small.int8.tflite"))
    assert (session.inputs, session.outputs) == (artifact.inputs, artifact.outputs)
    near(np.asarray(session.run(images)), small[1], "int8")


@pytest.mark.parametrize("batch", [1, 4])
def test_a_batch_that_is_fixed(small_model, small, images, convert, tmp_path, capfd, batch):
    np.save(tmp_path / "x.npy", images[:34])
    bundle = convert(small_model, tmp_path / "x.npy", "--batch", batch)
    for name, artifact in bundle.artifacts.items():
        assert artifact.inputs[0].shape == (batch, 8, 8, 1)
        assert artifact.outputs[0].shape == (batch, 3)
        session = edgenn.Session(bundle.file(name))
        assert session.batch == batch
        near(np.asarray(session.run(images[:34])), small[1][:34], artifact.scheme)
    check = ("check", bundle.path, "--data", tmp_path / "x.npy", "--model", small_model)
    succeeded(edgenn_here(capfd, *check))


def test_a_model_whose_batch_is_fixed(keep, convert, capfd, tmp_path):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input(batch_shape=(2, 6, 1), name="x"), layers.Conv1D(3, 3), layers.Flatten(),
         layers.Dense(2)]
    )  # fmt: skip
    samples = RANDOM.normal(size=(33, 6, 1)).astype(np.float32)
    expected = np.concatenate(
        [model(np.resize(samples[i : i + 2], (2, 6, 1))) for i in range(0, 33, 2)]
    )[:33]
    path, data = keep(model, x=samples)
    bundle = convert(path, data)
    for name, artifact in bundle.artifacts.items():
        assert artifact.inputs[0].shape == (2, 6, 1)
        near(np.asarray(edgenn.Session(bundle.file(name)).run(samples)), expected, artifact.scheme)
    succeeded(edgenn_here(capfd, "check", bundle.path, "--data", data))
    np.savez(tmp_path / "z.npz", x=samples)
    said = edgenn_here(capfd, "convert", path, "-o", tmp_path / "other", "--batch", "3")
    assert said.returncode == 2 and "fixed" in said.stderr and not (tmp_path / "other").exists()


@keras.saving.register_keras_serializable("edgenn_tests")
class Shuffle(layers.Layer):
    """Reshapes to sizes of which several are not known: only a fixed batch leaves one of them."""

    def call(self, x):
        batch, length = keras.ops.shape(x)[:2]
        return keras.ops.reshape(x, (batch, length, 2, 2))[:, :, 1]


def test_a_model_that_needs_a_fixed_batch(keep, convert, tmp_path, capfd):
    model = keras.Sequential([keras.Input((None, 4), name="x"), Shuffle(name="shuffle")])
    samples = RANDOM.normal(size=(32, 5, 4)).astype(np.float32)
    path, data = keep(model, x=samples)
    refusal = edgenn_here(capfd, "convert", path, "-o", tmp_path / "out")
    refused(refusal, 3, "shuffle", "--batch 1")
    bundle = convert(path, data, "--batch", "1")
    for name, artifact in bundle.artifacts.items():
        assert artifact.inputs[0].shape == (1, None, 4)
        result = edgenn.Session(bundle.file(name)).run(samples)
        near(np.asarray(result), samples[:, :, 2:], artifact.scheme)
    succeeded(edgenn_here(capfd, "check", bundle.path, "--data", data))


def test_images_of_any_size(keep, convert):
    keras.utils.set_random_seed(4)
    x = inputs = keras.Input((None, None, 1), name="photo")
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(2, strides=1, padding="same")(x)
    x = layers.Conv2D(4, 3, padding="same", dilation_rate=2, activation="relu")(x)
    model = keras.Model(inputs, layers.Conv2D(2, 1, name="mask")(x))
    samples = RANDOM.uniform(size=(8, 16, 12, 1)).astype(np.float32)
    bundle = convert(*keep(model, x=samples))
    for name, artifact in bundle.artifacts.items():
        assert artifact.inputs[0].shape == (None, None, None, 1)
        session = edgenn.Session(bundle.file(name))
        for given in (samples, samples[:3, :8, :10], samples[:1]):
            near(np.asarray(session.run(given)), keras_says(model, given)[0], artifact.scheme)


def test_name(small_model, images, convert, tmp_path):
    np.save(tmp_path / "x.npy", images)
    bundle = convert(small_model, tmp_path / "x.npy", "--name", "wake word 2", "--format", "tflite")
    assert list(bundle.artifacts) == ["wake word 2.float32.tflite", "wake word 2.int8.tflite"]
    assert bundle.manifest.name == "wake word 2"
    edgenn.Session(bundle.file("wake word 2.int8.tflite")).run(images)


def test_options_given_twice(small_model, images, convert, tmp_path):
    np.save(tmp_path / "x.npy", images)
    twice = ("--format", "tflite", "--format", "tflite")
    bundle = convert(small_model, tmp_path / "x.npy", *twice, quantize=("int8", "int8"))
    assert list(bundle.artifacts) == ["small.int8.tflite"]
    assert bundle.manifest.options["formats"] == ["tflite"]
    assert bundle.manifest.options["quantize"] == ["int8"]


def test_a_model_from_python(two_by_two, tmp_path):
    bundle = edgenn.convert(two_by_two, tmp_path / "out")
    assert list(bundle.artifacts) == ["two_by_two.float32.tflite", "two_by_two.float32.onnx"]
    assert bundle.manifest.source.format == "python"
    samples = {
        "photo": RANDOM.normal(size=(5, 6, 6, 2)).astype(np.float32),
        "flags": RANDOM.normal(size=(5, 3)).astype(np.float32),
    }
    report = edgenn.check(bundle.path, samples, model=two_by_two)
    assert report.exit_code == 0 and report.reference == "computed"
    assert edgenn.inspect(two_by_two).inputs[0].name == "photo"
    with pytest.raises(UsageError, match="model"):
        edgenn.check(bundle.path, samples)
