"""Handwritten digits read row by row by a GRU (Cho et al. 2014, arXiv 1406.1078).

Data: the 1,797 digits of 8 × 8 pixels that scikit-learn ships (UCI ML repository, Alpaydin and
Kaynak 1998), values 0–16. A row is one step of the sequence, so the model can also be fed row
after row as a scanner delivers them. The split is by a seeded permutation.
"""

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

SEED = 7
EPOCHS = 80
BATCH_SIZE = 32
TRAIN, CALIBRATION = 1200, 200  # the remaining 397 are for testing
STEPS_PER_EPOCH = -(-TRAIN // BATCH_SIZE)
UNITS = 48

Split = tuple[np.ndarray, np.ndarray]


def build_model() -> keras.Model:
    """A compiled model: input ``(8, 8)``, rows of values 0–16; output ten probabilities."""
    inputs = keras.Input((8, 8), name="rows")
    x = layers.Rescaling(1 / 16, name="rescale")(inputs)
    x = layers.GRU(UNITS, name="gru")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    outputs = layers.Dense(10, activation="softmax", name="digit")(x)
    model = keras.Model(inputs, outputs, name="digits_gru")
    schedule = keras.optimizers.schedules.CosineDecay(5e-3, EPOCHS * STEPS_PER_EPOCH)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def load_data() -> dict[str, Split]:
    """``train``, ``calibration`` and ``test``: rows ``(n, 8, 8)`` float32, labels ``(n,)``."""
    digits = load_digits()
    order = np.random.default_rng(SEED).permutation(len(digits.target))
    rows = digits.images[order].astype(np.float32)
    labels = digits.target[order].astype(np.int64)
    calibration_end = TRAIN + CALIBRATION
    parts = {
        "train": slice(0, TRAIN),
        "calibration": slice(TRAIN, calibration_end),
        "test": slice(calibration_end, None),
    }
    return {name: (rows[part], labels[part]) for name, part in parts.items()}


def score(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy: the share of digits that are named rightly."""
    return float((predictions.argmax(axis=-1) == labels).mean())
