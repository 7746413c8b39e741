"""What several journeys start from."""

import numpy as np
import pytest
from support.digits import RECIPE, convert_digits

from edgenn import convert
from edgenn.data.recipe import load_recipe


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """The digits model, converted once to all that edgenn writes."""
    return convert_digits(tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="session")
def digits_data():
    """``{split: (images, labels)}`` of the recipe."""
    return load_recipe(RECIPE).load_data()


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """A .keras file: images of 8 × 8 × 1 → 3 classes, in two layers."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(3, activation="softmax", name="class"),
        ],
        name="small",
    )
    path = tmp_path_factory.mktemp("small") / "small.keras"
    model.save(path)
    return path


@pytest.fixture(scope="session")
def images():
    """40 images for the small model, float32 in 0..1."""
    return np.random.default_rng(3).uniform(0, 1, (40, 8, 8, 1)).astype(np.float32)


@pytest.fixture(scope="session")
def small_bundle(small_model, images, tmp_path_factory):
    """The small model as float32 and int8, with the Keras predictions on ``images``."""
    folder = tmp_path_factory.mktemp("bundle") / "small"
    return convert(
        small_model, folder, quantize=("float32", "int8"), calibration=images, reference=images
    )
