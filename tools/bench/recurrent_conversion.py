"""Time of converting a recurrent model to int8: two LSTM layers of 64 units over 49 × 40.

The Keras model is in memory and everything is imported: what is timed is ``convert()`` alone,
with 100 calibration samples, to TFLite and ONNX. The stock converter has no way to int8 here.

    python tools/bench/recurrent_conversion.py
"""

import os
import tempfile
from typing import Any

import common
import numpy as np
from conversion import seconds

STEPS, FEATURES, UNITS, SAMPLES = 49, 40, 64, 100
BAR_S = 1.0
REPEATS = 5


def two_lstms() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    inputs = keras.Input((STEPS, FEATURES), name="features")
    x = keras.layers.LSTM(UNITS, return_sequences=True, name="lstm_1")(inputs)
    x = keras.layers.LSTM(UNITS, name="lstm_2")(x)
    return keras.Model(inputs, keras.layers.Dense(12, "softmax", name="word")(x), name="lstms")


def convert(model: Any, calibration: np.ndarray) -> dict[str, float]:
    """One conversion; seconds of each of its stages."""
    import edgenn

    with tempfile.TemporaryDirectory() as folder:
        bundle = edgenn.convert(
            model,
            f"{folder}/bundle",
            formats=("tflite", "onnx"),
            quantize=("int8",),
            calibration=calibration,
        )
        return dict(bundle.manifest.timings_s)


def main() -> None:
    rng = np.random.default_rng(5)
    calibration = rng.normal(size=(SAMPLES, STEPS, FEATURES)).astype(np.float32)
    model = two_lstms()
    stages = convert(model, calibration[:2])  # warms both
    taken = seconds(lambda: stages.update(convert(model, calibration)), REPEATS)
    result = {"int8_s": taken, "stages_s": stages, "cores": os.cpu_count(), "bar_s": BAR_S}
    common.finish(result, [] if taken <= BAR_S else [f"int8 in at most {BAR_S} s"])


if __name__ == "__main__":
    main()
