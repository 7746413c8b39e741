"""Masks, initial states and last outputs in the step form. Witness: Keras."""

from itertools import product

import keras
import numpy as np
import pytest

from edgenn import Session
from edgenn.compiler import graph_of, written
from edgenn.lowering.recurrent.step import to_step

layers = keras.layers
MASKS = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)


@pytest.mark.parametrize(("sequences", "zeroed"), list(product((False, True), repeat=2)))
@pytest.mark.parametrize("format_", ["tflite", "onnx"])
def test_a_stream_equals_the_sequence(sequences, zeroed, format_, tmp_path):
    x, mask = keras.Input((None, 3), name="x"), keras.Input((None,), dtype="bool", name="mask")
    state = keras.Input((4,), name="state")
    layer = layers.GRU(4, return_sequences=sequences, zero_output_for_mask=zeroed)
    model = keras.Model([x, mask, state], layer(x, mask=mask, initial_state=state))
    rng = np.random.default_rng(0)
    values, start = (rng.normal(size=(4, *n)).astype("float32") for n in ((5, 3), (4,)))
    path = tmp_path / f"step.{format_}"
    path.write_bytes(written(to_step(graph_of(model)), format_))
    with Session(path).stream({"state": start}) as stream:
        result = stream.run({"x": values, "mask": MASKS})
    np.testing.assert_allclose(result, model([values, MASKS, start]), atol=1e-6)
