"""Published models: loaded here, they predict what tf_keras predicts."""

import os
from pathlib import Path

import numpy as np
import pytest
from support.keras2 import assert_same, tf_keras

from edgenn.errors import ModelFileError, UnsupportedError
from edgenn.frontend.loading import load_model

MODELS = Path(os.environ.get("EDGENN_REAL_MODELS", Path(__file__).parents[3] / "shared" / "models"))


def real(name: str) -> Path:
    if not (MODELS / name).exists():
        pytest.skip(f"{MODELS / name} is not here; see EDGENN_REAL_MODELS")
    return MODELS / name


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("mlperf-tiny-ic/pretrainedResnet.h5", "2.4.0"),
        ("mlperf-tiny-vww/vww_96.h5", "2.4.0"),
        ("mlperf-tiny-kws/kws_ref_model", "2.4.0"),
        ("mltk-magic-wand/tflite_micro_magic_wand.h5", "2.4.0"),
        ("mltk-rock-paper-scissors/rock_paper_scissors.h5", "2.8.0"),
    ],
)
def test_real_model_equals_tf_keras(name, version):
    loaded = load_model(real(name))
    assert loaded.keras_version == version
    assert_same(loaded.model, tf_keras.models.load_model(real(name), compile=False))


def test_traffic_lstm_of_keras_2_1_has_the_old_hard_sigmoid():
    model = load_model(real("traffic-lstm/lstm.h5")).model
    windows = np.load(real("traffic-lstm/windows_12.npz"))
    predicted = np.asarray(model(windows["x"][:300]))[:, 0]
    expected = windows["keras2_prediction"].reshape(-1)[:300]
    np.testing.assert_allclose(predicted, expected, rtol=0, atol=1e-5)


def test_weights_only_file_asks_for_the_architecture():
    with pytest.raises(ModelFileError, match="weights only"):
        load_model(real("textgenrnn/hacker_news.hdf5"))


def test_custom_layers_of_basic_pitch_are_named():
    with pytest.raises(UnsupportedError, match=r"FlattenAudioCh.*register_keras_serializable"):
        load_model(real("basic-pitch/nmp"))
