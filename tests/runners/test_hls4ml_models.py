"""Trained models as hls4ml's bit-accurate simulation; each takes g++ some seconds."""

from pathlib import Path

import keras
import numpy as np
import pytest
from support.hls4ml import fixed16, require_hls4ml
from support.real_models import REAL_MODELS, real

from edgenn.data import load
from edgenn.runners.hls4ml import Hls4mlRunner
from edgenn.runners.hls4ml_layout import STREAM, chosen
from edgenn.runtime.hls4ml_file import read_hls4ml
from edgenn.source import load_source

ROOT = Path(__file__).parents[2] / "models"
SAMPLES = 16


def simulated(model, calibration, samples, folder):
    """What the simulation says, and what Keras says."""
    (name,) = (tensor.name for tensor in model.inputs)
    path = folder / "model.fixed16.hls4ml"
    path.write_bytes(fixed16(model, {name: calibration}))
    result = Hls4mlRunner().run(path, {name: samples})
    (output,) = result.outputs.values()
    return output, model.predict(samples, verbose=0), read_hls4ml(path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tolerance"), [("digits_cnn", 2e-3), ("digits_gru", 1.2e-2)])
def test_shipped_models(name, tolerance, tmp_path):
    require_hls4ml()
    model = keras.models.load_model(ROOT / "pretrained" / f"{name}.keras", compile=False)
    (key,) = (tensor.name for tensor in model.inputs)
    parts = [
        load(ROOT / f"{name}.py", [key], split=split).inputs[key]
        for split in ("calibration", "test")
    ]
    output, expected, _ = simulated(model, *parts, tmp_path)
    assert np.abs(output - expected).max() < tolerance
    assert (output.argmax(-1) == expected.argmax(-1)).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL_MODELS)
def test_real_models(name, tmp_path):
    require_hls4ml()
    known = REAL_MODELS[name]
    model, _ = load_source(real(known.file))
    samples = known.evaluation()[:SAMPLES]
    output, expected, content = simulated(model, known.calibration()[:100], samples, tmp_path)
    assert np.abs(output - expected).max() < 3e-3 * np.ptp(expected)
    assert chosen(content.layers) == STREAM
