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
    """Converts to float32 and int8; opens a file of the bundle."""

    def converted(model, calibration):
        bundle = edgenn.convert(
            model,
            tmp_path_factory.mktemp("real") / "bundle",
            quantize=("float32", "int8"),
            calibration=calibration,
            io="float32",
            name="model",
        )
        return lambda scheme, format_: edgenn.Session(bundle.file(f"model.{scheme}.{format_}"))

    return converted


def run(session, x):
    with session:
        return np.concatenate([session.run(sample[None]) for sample in x])


@pytest.fixture(scope="module")
def text(convert):
    """The next character: what opens a file, and samples with what tf_keras says of them."""
    folder = real("textgenrnn")
    model = textgenrnn.build_model(folder)
    data = textgenrnn.load_data(folder)
    calibration, (x, labels) = data["calibration"][0], data["test"]
    witness = textgenrnn.build_witness(folder).predict(x, batch_size=256, verbose=0)
    keras_3 = model.predict(x, batch_size=256, verbose=0)
    np.testing.assert_allclose(keras_3, witness, atol=FLOAT_BAR)
    return convert(model, calibration), x, labels, witness


@pytest.mark.parametrize("format_", FORMATS)
def test_next_character_float32(text, format_):
    files, x, labels, witness = text
    results = run(files("float32", format_), x)
    assert np.abs(results - witness).max() <= FLOAT_BAR
    bits = textgenrnn.bits_per_character(results, labels)
    assert bits == pytest.approx(textgenrnn.bits_per_character(witness, labels), abs=1e-4)
    assert bits < 0.5  # it knows these titles; 8.9 bits are no knowledge at all


@pytest.mark.parametrize("format_", FORMATS)
def test_next_character_int8(text, format_):
    files, x, labels, witness = text
    results = run(files("int8", format_), x)
    assert common.agreement(results, witness) > 97
    bits = textgenrnn.bits_per_character(results, labels)
    assert bits <= 1.01 * textgenrnn.bits_per_character(witness, labels)


@pytest.fixture(scope="module")
def vehicles(convert):
    folder = real("traffic-lstm")
    data = traffic.load(folder)
    return convert(folder / traffic.FILE, data.calibration), data


@pytest.mark.parametrize("format_", FORMATS)
def test_traffic(vehicles, format_):
    """The file of Keras 2.1: its old hard sigmoid makes the difference of 7.216 and 7.680."""
    files, data = vehicles
    results = run(files("float32", format_), data.x)
    error = data.mean_error(results)
    assert error == pytest.approx(traffic.KERAS_2_MAE, abs=1e-3)
    int8 = run(files("int8", format_), data.x)
    assert data.mean_error(int8) <= 1.01 * error
    assert np.abs(data.to_vehicles(int8) - data.to_vehicles(results)).max() <= 5


FRAMES = 1000
SCHEMES = [(scheme, format_) for scheme in ("float32", "int8") for format_ in FORMATS]


@pytest.fixture(scope="module", params=dtln.STAGES)
def speech(request, convert):
    """A stage of DTLN: what all frames at once give, what opens the step, frames, the witness."""
    folder, stage = real("dtln"), request.param
    x = dtln.inputs_of(stage, FRAMES)
    calibration = dtln.inputs_of(stage, FRAMES, seed=1)[None]
    loop = convert(dtln.build_model(folder, stage, stateful=False), calibration)
    step = convert(dtln.build_model(folder, stage, stateful=True), calibration)
    batch = {(scheme, form): run(loop(scheme, form), x[None])[0] for scheme, form in SCHEMES}
    return batch, step, x, dtln.published_stream(folder, stage, x)


def test_speech_is_as_published(speech):
    """All frames in one loop give what the published file gives frame by frame."""
    batch, _, _, published = speech
    for (scheme, _), result in batch.items():
        if scheme == "float32":
            assert np.abs(result - published).max() <= FLOAT_BAR
        else:
            assert common.rmse(result, published) <= 0.02 * np.ptp(published)


@pytest.mark.parametrize(("scheme", "format_"), SCHEMES)
def test_speech_as_a_stream_is_speech_in_a_batch(speech, scheme, format_):
    batch, step, x, _ = speech
    expected = batch[scheme, format_]
    with step(scheme, format_) as session:
        stream = session.stream()
        rows = [stream.run(frame[None, None])[0, 0] for frame in x]
        assert np.abs(np.stack(rows) - expected).max() <= FLOAT_BAR
        stream.reset()
        chunks = [stream.run(x[None, :7])[0], stream.run(x[None, 7:300])[0]]
        off = np.abs(np.concatenate(chunks) - expected[:300])
        assert off.max() <= FLOAT_BAR
