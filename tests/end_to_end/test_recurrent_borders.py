"""Recurrent models of fixed batch, and with inputs and outputs of every dtype, in every form."""

import keras
import numpy as np
import pytest
from keras import layers

import edgenn

RANDOM = np.random.default_rng(4)
SIGNALS = RANDOM.normal(size=(25, 6, 3)).astype(np.float32)
SIGNALS[:, 4:] *= RANDOM.integers(0, 2, (25, 2, 1))
FORMS = [("loop", "auto"), ("loop", "int16"), ("unrolled", "int8"), ("fused", "auto")]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(4)
    x = keras.Input((6, 3), name="x")
    y = layers.Bidirectional(layers.LSTM(5, return_sequences=True))(layers.Masking()(x))
    return keras.Model(x, [layers.Dense(2, name="steps")(y), layers.LSTM(4, name="last")(y)])


@pytest.fixture(scope="module")
def expected(model):
    return [np.asarray(y) for y in model(SIGNALS)]


@pytest.mark.parametrize(("batch", "io"), [(None, "uint8"), (2, "float32"), (1, "int8")], ids=str)
@pytest.mark.parametrize(("form", "precision"), FORMS)
def test_batch_and_border(model, expected, tmp_path, form, precision, batch, io):
    bundle = edgenn.convert(
        model,
        tmp_path / "bundle",
        formats=("tflite",),
        quantize=("int8",),
        calibration=SIGNALS,
        rnn=form,
        rnn_precision=precision,
        batch=batch,
        io=io,
    )
    (artifact,) = bundle.manifest.artifacts
    for engine in ("litert", "litert-reference"):
        session = edgenn.Session(bundle.path / artifact.file, engine=engine)
        assert session.batch == batch
        assert {info.dtype for info in (*session.inputs, *session.outputs)} == {io}
        for result, wanted in zip(session.run(SIGNALS).values(), expected, strict=True):
            assert np.abs(result - wanted).max() <= 0.1 * np.ptp(wanted)


@pytest.mark.parametrize("scheme", ["float16", "dynamic"])
@pytest.mark.parametrize("form", ["loop", "unrolled", "fused"])
def test_fixed_batch_with_small_weights(model, expected, tmp_path, form, scheme):
    formats = {"formats": ("tflite",), "quantize": (scheme,), "rnn": form, "batch": 2}
    bundle = edgenn.convert(model, tmp_path / "bundle", **formats)
    (artifact,) = bundle.manifest.artifacts
    session = edgenn.Session(bundle.path / artifact.file)
    for result, wanted in zip(session.run(SIGNALS).values(), expected, strict=True):
        assert np.abs(result - wanted).max() <= 0.02 * np.ptp(wanted)
