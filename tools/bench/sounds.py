"""An LSTM that tells twelve synthetic sounds apart: 49 frames of 40 bands, as keywords have them.

A sound is two ridges of energy that wander through the bands; each time it is said it begins
sooner or later, goes faster or slower, lies higher or lower, and has noise on it. Everything is
seeded, and training takes less than a minute.
"""

from typing import Any

import numpy as np

FRAMES, BANDS, SOUNDS, UNITS = 49, 40, 12, 64
TRAIN, CALIBRATION, TEST = 4000, 200, 400
EPOCHS, BATCH = 6, 64
NOISE = 0.8
CORNERS = 4
"""Of each ridge's way through the bands."""

Split = tuple[np.ndarray, np.ndarray]


def load_data() -> dict[str, Split]:
    """``train``, ``calibration`` and ``test``: frames ``(n, 49, 40)`` float32, labels ``(n,)``."""
    rng = np.random.default_rng(19)
    ways = rng.uniform(4, BANDS - 4, (SOUNDS, 2, CORNERS))
    labels = rng.integers(0, SOUNDS, TRAIN + CALIBRATION + TEST)
    x = np.stack([said(ways[label], rng) for label in labels])
    first, second = TRAIN, TRAIN + CALIBRATION
    return {
        "train": (x[:first], labels[:first]),
        "calibration": (x[first:second], labels[first:second]),
        "test": (x[second:], labels[second:]),
    }


def said(ways: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One utterance of a sound, ``(49, 40)`` float32."""
    start, length = rng.uniform(0, 12), rng.uniform(28, 37)
    place = (np.arange(FRAMES) - start) / length
    loud = ((place > 0) & (place < 1)) * rng.uniform(0.8, 1.6)
    corners = np.linspace(0, 1, CORNERS)
    centres = np.stack([np.interp(place, corners, way) for way in ways]) + rng.normal(0, 1.5)
    distance = np.arange(BANDS) - centres[:, :, np.newaxis]
    energy = loud[:, np.newaxis] * np.exp(-(distance**2) / 8).sum(axis=0)
    return (energy + rng.normal(0, NOISE, energy.shape)).astype(np.float32)


def trained_model(data: dict[str, Split]) -> Any:
    """An LSTM of 64 units and a softmax over the sounds."""
    import keras

    keras.utils.set_random_seed(19)
    inputs = keras.Input((FRAMES, BANDS), name="frames")
    x = keras.layers.LSTM(UNITS, name="lstm")(inputs)
    outputs = keras.layers.Dense(SOUNDS, activation="softmax", name="sound")(x)
    model = keras.Model(inputs, outputs, name="sounds_lstm")
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(*data["train"], batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return model
