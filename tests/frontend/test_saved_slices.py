"""Indexing in a saved model, whose keys are lists where they were tuples."""

import keras
import numpy as np
import pytest
from support.captured import assert_captured

KEYS = {
    "a number": (slice(None), -1),
    "a slice": (slice(None), slice(1, 3)),
    "a new axis": (slice(None), None, 2),
    "an ellipsis": (Ellipsis, 0),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_of_several_axes(tmp_path, name):
    x = keras.Input((4, 3), name="x")
    keras.Model(x, x[KEYS[name]]).save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    assert_captured(model, inputs=[np.arange(24, dtype=np.float32).reshape(2, 4, 3)])
