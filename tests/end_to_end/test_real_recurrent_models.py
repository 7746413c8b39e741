"""Published recurrent models, from their files to numbers as good as Keras's.

``tools/bench/recurrent_real_models.py`` measures the same models in more ways.
"""

import numpy as np
import pytest
from bench import common, dtln, textgenrnn, traffic
from support.real_models import real

import edgenn

FLOAT_BAR = 1e-5
FORMATS = ("tflite", "onnx")


@pytest.fixture(scope="module")
def convert(tmp_path_factory):
    """Converts to float32 and int8; gives what runs a file of the bundle, sample by sample."""

    def converted(model, calibration, **options):
        bundle = edgenn.convert(
            model,
            tmp_path_factory.mktemp("real") / "bundle",
            quantize=("float32", "int8"),
            calibration=calibration,
            io="float32",
            name="model",
            **options,
        )

        def run(scheme, format_, x, engine=None):
            file = bundle.file(f"model.{scheme}.{format_}")
            with edgenn.Session(file, engine=engine) as session:
                return np.concatenate([session.run(sample[None]) for sample in x])

        return run

    return converted


@pytest.fixture(scope="module")
def text(convert):
    """The next character: what runs it, and samples with what tf_keras says of them."""
    folder = real("textgenrnn")
    model = textgenrnn.build_model(folder)
    calibration, _ = textgenrnn.windows(folder, slice(1000, 1005))
    x, labels = textgenrnn.windows(folder, slice(0, 10))
    witness = textgenrnn.build_witness(folder).predict(x, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), witness, atol=FLOAT_BAR)
    return convert(model, calibration), x, labels, witness


@pytest.mark.parametrize("format_", FORMATS)
def test_next_character_float32(text, format_):
    run, x, labels, witness = text
    results = run("float32", format_, x)
    assert np.abs(results - witness).max() <= FLOAT_BAR
    bits = textgenrnn.bits_per_character(results, labels)
    assert bits == pytest.approx(textgenrnn.bits_per_character(witness, labels), abs=1e-4)
    assert bits < 0.5  # it knows these titles; 8.9 bits are no knowledge at all


@pytest.mark.parametrize("format_", FORMATS)
def test_next_character_int8(text, format_):
    run, x, labels, witness = text
    results = run("int8", format_, x)
    assert common.agreement(results, witness) > 90
    bits = textgenrnn.bits_per_character(results, labels)
    assert bits <= textgenrnn.bits_per_character(witness, labels) + 0.15


@pytest.fixture(scope="module")
def vehicles(convert):
    folder = real("traffic-lstm")
    data = traffic.load(folder)
    return convert(folder / traffic.FILE, data.calibration), data


@pytest.mark.parametrize("format_", FORMATS)
def test_traffic(vehicles, format_):
    """The file of Keras 2.1: its old hard sigmoid makes the difference of 7.216 and 7.680."""
    run, data = vehicles
    results = run("float32", format_, data.x)
    error = data.mean_error(results)
    assert error == pytest.approx(traffic.KERAS_2_MAE, abs=1e-3)
    int8 = run("int8", format_, data.x)
    assert data.mean_error(int8) <= 1.01 * error
    assert np.abs(data.to_vehicles(int8) - data.to_vehicles(results)).max() <= 5


@pytest.mark.parametrize("stage", dtln.STAGES)
def test_speech_in_one_sequence(convert, stage):
    """All frames in one loop give what the published file gives frame by frame."""
    folder = real("dtln")
    x = dtln.inputs_of(stage, 200)
    published = dtln.published_stream(folder, stage, x)
    model = dtln.build_model(folder, stage, stateful=False)
    run = convert(model, dtln.inputs_of(stage, 500, seed=1)[None])
    for format_ in FORMATS:
        (result,) = run("float32", format_, x[None])
        assert np.abs(result - published).max() <= FLOAT_BAR
        (result,) = run("int8", format_, x[None])
        assert common.rmse(result, published) <= 0.05 * np.ptp(published)
