"""hls4ml's bit-accurate simulation against Keras; skips where hls4ml or g++ are missing."""

import json
import zipfile

import keras
import numpy as np
import pytest
from keras import layers
from support.hls4ml import (
    fixed16,
    many_layers,
    recurrent_layers,
    require_hls4ml,
    streaming_layers,
)

from edgenn.errors import EdgennError, EngineError, UnavailableError
from edgenn.runners.hls4ml import COMPILED, LONG, Hls4mlRunner
from edgenn.runners.hls4ml_layout import PARALLEL, STREAM, chosen, obstacle
from edgenn.runtime.hls4ml_file import MODEL, read_hls4ml


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Converts, calibrated on the samples or others, and runs."""
    require_hls4ml()
    folder = tmp_path_factory.mktemp("hls4ml")

    def run(model, samples, calibration=None, **options):
        path = folder / f"{model.name}.fixed16.hls4ml"
        path.write_bytes(fixed16(model, calibration or samples))
        return Hls4mlRunner(options).run(path, samples), read_hls4ml(path)

    return run


def normal(*shape):
    return np.random.default_rng(11).normal(size=shape).astype("float32")


def worst(outputs, expected):
    """The largest error of each output, as a share of its range."""
    assert outputs.keys() == expected.keys()
    return {
        name: float(np.abs(outputs[name] - array).max() / np.ptp(array))
        for name, array in expected.items()
    }


def test_every_layer_computes_what_keras_does(run):
    model = many_layers()
    words = np.random.default_rng(12).integers(0, 7, (24, 5), dtype=np.int32)
    samples = {"image": normal(24, 6, 6, 3), "steps": normal(24, 5, 4), "words": words}
    result, content = run(model, samples)
    errors = worst(result.outputs, model.predict(samples, verbose=0))
    assert {name: error for name, error in errors.items() if error > 1.5e-3} == {}
    assert chosen(content.layers) == PARALLEL
    assert result.findings == ()


def test_a_stream_gives_the_same_bits(run):
    model = streaming_layers()
    samples = {"image": normal(12, 12, 12, 2)}
    streamed, content = run(model, samples)
    assert chosen(content.layers) == STREAM and obstacle(content.layers) is None
    parallel, _ = run(model, samples, io_type=PARALLEL)
    np.testing.assert_array_equal(streamed.outputs["out"], parallel.outputs["out"])
    expected = model.predict(samples["image"], verbose=0)
    assert np.abs(streamed.outputs["out"] - expected).max() < 2e-3


def test_recurrent_layers_stay_near_keras(run):
    model = recurrent_layers()
    samples = {"steps": normal(24, 16, 3)}
    result, _ = run(model, samples)
    expected = model.predict(samples["steps"], verbose=0)
    errors = {name: np.abs(result.outputs[name] - array).max() for name, array in expected.items()}
    assert max(errors.values()) < 2.5e-3, errors  # what the tables of tanh and sigmoid leave
    assert result.version == "hls4ml 1.3.0"
    assert result.facts.cycles is None and result.facts.sram_bytes is None


def test_values_out_of_range_saturate(run):
    """hls4ml's default would wrap 3 around to -1."""
    inputs = keras.Input((2,), name="x")
    ones = layers.Dense(1, kernel_initializer="ones", name="y")(inputs)
    model = keras.Model(inputs, ones, name="saturating")
    seen = {"x": np.array([[1, 1], [-1, -1]], "float32")}
    samples = {"x": np.array([[0.25, 0.5], [1, 0.75], [3, 3], [-3, -3]], "float32")}
    result, content = run(model, samples, seen)
    expected = [[0.75], [1.75], [2], [-2]]  # twice an input that stops at 1
    np.testing.assert_allclose(result.outputs["y"], expected, atol=2e-4)
    (dense,) = (layer for layer in content.layers if layer["path"] == "y")
    assert dense["precision"]["result"] == "ap_fixed<16,2,AP_RND,AP_SAT>"


def test_one_sample_gives_what_many_do(tmp_path):
    require_hls4ml()
    inputs = keras.Input((3, 2), name="x")
    model = keras.Model(inputs, layers.Reshape((2, 3))(layers.Dense(2)(inputs)), name="small")
    path = tmp_path / "small.hls4ml"
    samples = normal(5, 3, 2)
    path.write_bytes(fixed16(model, {"x": samples}))
    with Hls4mlRunner() as runner:
        many = runner.run(path, {"x": samples}).outputs
        one = runner.run(path, {"x": samples[2:3]}).outputs
    for name, array in many.items():
        assert array.shape == (5, 2, 3)
        np.testing.assert_array_equal(array[2:3], one[name])


def test_what_hls4ml_refuses_is_told_in_its_words(tmp_path):
    """An artifact with a layer that this version does not have."""
    require_hls4ml()
    inputs = keras.Input((2,), name="x")
    path = tmp_path / "odd.hls4ml"
    path.write_bytes(fixed16(keras.Model(inputs, layers.Dense(1, name="y")(inputs))))
    rename_last_layer(path, "NoSuchLayer")
    with pytest.raises(EngineError, match=r"odd\.hls4ml: hls4ml: Layer NoSuchLayer not found"):
        Hls4mlRunner().run(path, {"x": normal(1, 2)})


def rename_last_layer(path, name):
    with zipfile.ZipFile(path) as file:
        contents = {entry: file.read(entry) for entry in file.namelist()}
    model = json.loads(contents[MODEL])
    model["layers"][-1]["class_name"] = name
    contents[MODEL] = json.dumps(model).encode()
    with zipfile.ZipFile(path, "w") as file:
        for entry, data in contents.items():
            file.writestr(entry, data)


def test_a_long_compilation_is_a_warning():
    said = Hls4mlRunner().read_stderr(f"Writing HLS project\n{COMPILED}72.3 s\n{COMPILED}3.0 s\n")
    assert said.warnings == ("g++ took 72 s to compile the simulation",)


def test_a_compilation_that_is_stopped_says_why():
    error = EngineError("x.hls4ml: the engine gave no answer in 600 s", "give fewer samples")
    explained = Hls4mlRunner().explain(error, f"{LONG}400,000 lines; pool does not stream\n")
    assert explained.hint == "400,000 lines; pool does not stream"
    assert isinstance(explained, EngineError)
    other: EdgennError = EngineError("crashed")
    assert Hls4mlRunner().explain(other, "nothing") is other


def test_it_needs_a_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnavailableError, match=r"hls4ml needs the program g\+\+"):
        Hls4mlRunner().require_available()
