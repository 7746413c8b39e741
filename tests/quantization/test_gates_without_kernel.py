"""Activations of cells that 16-bit integers have no kernel for."""

import keras
import numpy as np
import pytest

from edgenn import convert
from edgenn.errors import UnsupportedError

layers = keras.layers
SAMPLES = np.random.default_rng(0).normal(size=(8, 5, 3)).astype("float32")


@pytest.fixture(scope="module")
def model():
    return keras.Sequential([keras.Input((5, 3)), layers.GRU(4, activation=keras.ops.sin)])


@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_the_error_names_precisions_that_have_them(model, tmp_path, scheme):
    options = {"quantize": [scheme], "calibration": SAMPLES, "formats": ["tflite"]}
    with pytest.raises(UnsupportedError, match=r"no int16 kernel for .*sin") as caught:
        convert(model, tmp_path / "out", rnn="unrolled", **options)
    assert "--rnn-precision float32 or int8" in caught.value.hint


@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_they_have_them(model, tmp_path, precision, scheme):
    options = {"quantize": [scheme], "calibration": SAMPLES, "formats": ["tflite"]}
    convert(model, tmp_path / "out", rnn="unrolled", rnn_precision=precision, **options)


def test_the_error_does_not_name_them_where_the_op_is_in_no_loop(tmp_path):
    x = keras.Input((5, 3))
    y = layers.GRU(4)(keras.ops.sin(x))
    options = {"quantize": ["int16x8"], "calibration": SAMPLES, "formats": ["tflite"]}
    with pytest.raises(UnsupportedError, match=r"no int16 kernel for sin") as caught:
        convert(keras.Model(x, y), tmp_path / "out", **options)
    assert "--rnn-precision" not in caught.value.hint
