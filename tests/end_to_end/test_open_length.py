"""One file of open length runs sequences of any length. Witness: Keras."""

import keras
import numpy as np
import pytest

import edgenn

LENGTHS = (1, 7, 49, 500)
FEATURES, UNITS = 10, 24
TOLERANCES = {"float32": 1e-6, "int8": 0.01}
"""Root mean square, of the largest output at any length: one grid holds them all, and what goes
beyond all that calibration saw saturates."""


def sequences(steps: int, count: int) -> np.ndarray:
    return np.random.default_rng(steps).normal(size=(count, steps, FEATURES)).astype(np.float32)


@pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
@pytest.mark.parametrize("layer", [keras.layers.LSTM, keras.layers.GRU])
def test_every_length(layer, return_sequences, tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, FEATURES), name="x")
    outputs = layer(UNITS, return_sequences=return_sequences, name="rnn")(inputs)
    model = keras.Model(inputs, outputs, name="net")
    bundle = edgenn.convert(
        model, tmp_path / "net", quantize=tuple(TOLERANCES), calibration=sequences(60, 50)
    )
    data = {steps: sequences(steps, 2) for steps in LENGTHS}
    expected = {steps: np.asarray(model(x)) for steps, x in data.items()}
    reach = max(np.abs(result).max() for result in expected.values())
    for artifact in bundle.manifest.artifacts:
        limit = TOLERANCES[artifact.scheme] * reach
        with edgenn.Session(bundle.file(artifact.file)) as session:
            for steps, x in data.items():
                error = np.sqrt(np.square(session.run(x) - expected[steps]).mean())
                assert error <= limit, (artifact.file, steps)
