"""Handwritten digits by a small residual CNN (after ResNet-8, He et al. 2015, arXiv 1512.03385).

Data: the 1,797 digits of 8 × 8 pixels that scikit-learn ships (UCI ML repository, Alpaydin and
Kaynak 1998), values 0–16. The split is by a seeded permutation.
"""

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

SEED = 7
EPOCHS = 40
BATCH_SIZE = 32
TRAIN, CALIBRATION = 1200, 200  # the remaining 397 are for testing

Split = tuple[np.ndarray, np.ndarray]


def build_model() -> keras.Model:
    """A compiled model: input ``(8, 8, 1)`` with values 0–16, output ten probabilities."""
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Rescaling(1 / 16, name="rescale")(inputs)
    x = convolution(x, 16, "stem")
    x = residual_block(x, 16, 1, "block_1")
    x = residual_block(x, 24, 2, "block_2")
    x = residual_block(x, 40, 2, "block_3")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outputs = layers.Dense(10, activation="softmax", name="digit")(x)
    model = keras.Model(inputs, outputs, name="digits_cnn")
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, 1520)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def convolution(x, filters: int, name: str, *, strides: int = 1, relu: bool = True):
    x = layers.Conv2D(
        filters, 3, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def residual_block(x, filters: int, strides: int, name: str):
    y = convolution(x, filters, f"{name}_a", strides=strides)
    y = convolution(y, filters, f"{name}_b", relu=False)
    if strides > 1:
        x = layers.Conv2D(filters, 1, strides=strides, name=f"{name}_shortcut")(x)
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.ReLU(name=f"{name}_relu")(x)


def load_data() -> dict[str, Split]:
    """``train``, ``calibration`` and ``test``: images ``(n, 8, 8, 1)`` float32, labels ``(n,)``."""
    digits = load_digits()
    order = np.random.default_rng(SEED).permutation(len(digits.target))
    images = digits.images[order, :, :, None].astype(np.float32)
    labels = digits.target[order].astype(np.int64)
    calibration_end = TRAIN + CALIBRATION
    parts = {
        "train": slice(0, TRAIN),
        "calibration": slice(TRAIN, calibration_end),
        "test": slice(calibration_end, None),
    }
    return {name: (images[part], labels[part]) for name, part in parts.items()}


def score(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy: the share of digits that are named rightly."""
    return float((predictions.argmax(axis=-1) == labels).mean())
