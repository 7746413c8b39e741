"""Published trained models, from their files to numbers as good as the stock converter's.

``tools/bench/real_models.py`` measures the same models in more ways.
"""

import numpy as np
import pytest
from bench import common
from support.real_models import real

import edgenn
from edgenn.frontend.loading import load_model

FLOAT_BAR = 1e-5
AGREEMENT_BARS = {"ic": 92.1, "kws": 99.99}
"""Percent; they must be passed."""


ENTRIES = {entry.name: entry for entry in common.REAL_MODELS}


@pytest.fixture(scope="module", params=ENTRIES)
def converted(request, tmp_path_factory):
    """One model with its bundle, its inputs, and what the Keras that made it says of them."""
    import tf_keras

    entry = ENTRIES[request.param]
    path = real(entry.file)
    calibration, x = entry.load()
    bundle = edgenn.convert(
        path,
        tmp_path_factory.mktemp(entry.name) / "out",
        quantize=("float32", "int8"),
        calibration=calibration,
    )
    witness = tf_keras.models.load_model(path, compile=False)
    return entry, bundle, x, witness.predict(x, verbose=0)


def run(bundle, scheme, x, format_="tflite", engine=None):
    (file,) = (name for name in bundle.artifacts if name.endswith(f".{scheme}.{format_}"))
    with edgenn.Session(bundle.file(file), engine=engine) as session:
        return np.concatenate([session.run(sample[None]) for sample in x])


@pytest.mark.parametrize("format_", ["tflite", "onnx"])
def test_float32(converted, format_):
    _, bundle, x, expected = converted
    assert np.abs(run(bundle, "float32", x, format_) - expected).max() <= FLOAT_BAR


def test_int8_is_as_near_to_keras_as_the_stock_converter(converted):
    entry, bundle, x, expected = converted
    model = load_model(real(entry.file)).model
    stock = common.stock_convert(model, "int8", entry.load()[0])
    theirs = common.rmse(common.run_litert(stock, x, reference=True), expected)
    ours = common.rmse(run(bundle, "int8", x, engine="litert-reference"), expected)
    assert ours <= theirs


@pytest.mark.parametrize("converted", AGREEMENT_BARS, indirect=True)
def test_int8_agrees_with_keras(converted):
    entry, bundle, x, expected = converted
    for format_, engine in (("tflite", "litert-reference"), ("tflite", "litert"), ("onnx", None)):
        actual = run(bundle, "int8", x, format_, engine)
        assert common.agreement(actual, expected) > AGREEMENT_BARS[entry.name], (format_, engine)


@pytest.mark.parametrize("converted", ["vww"], indirect=True)
def test_int8_sees_who_is_there(converted):
    """The person detector puts every photo on the side of its label, in every format."""
    _, bundle, _, _ = converted
    with np.load(real("mlperf-tiny-vww/photos_96x96.npz")) as data:
        photos, person = data["photos"].astype(np.float32) / 255, data["person"] == 1
    assert len(photos) == 7
    for scheme in ("float32", "int8"):
        for format_ in ("tflite", "onnx"):
            seen = run(bundle, scheme, photos, format_)[:, 1] > 0.5
            np.testing.assert_array_equal(seen, person, err_msg=f"{scheme} {format_}")
