"""The models that the repository ships: each loads, is small, and is as good as it says."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest

from edgenn.data import load_recipe
from edgenn.frontend.loading import load_model

MODELS = Path(__file__).parents[1] / "models"


@dataclass(frozen=True)
class Shipped:
    name: str
    input_name: str
    score: float
    """At least, on the recipe's test split."""
    kilobytes: float
    """At most."""


SHIPPED = [Shipped("digits_cnn", "image", 0.98, 300), Shipped("digits_gru", "rows", 0.97, 100)]


@pytest.fixture(params=SHIPPED, ids=lambda shipped: shipped.name)
def shipped(request):
    return request.param


def pretrained(shipped):
    return MODELS / "pretrained" / f"{shipped.name}.keras"


def test_every_shipped_model_is_named_here():
    recipes = {path.stem for path in MODELS.glob("*.py")}
    weights = {path.stem for path in (MODELS / "pretrained").glob("*.keras")}
    assert recipes == weights == {shipped.name for shipped in SHIPPED}


def test_the_recipe_builds_the_shipped_model(shipped):
    built = load_recipe(MODELS / f"{shipped.name}.py").build_model()
    loaded = load_model(pretrained(shipped)).model
    assert loaded.name == built.name == shipped.name
    assert loaded.inputs[0].name == shipped.input_name
    assert [layer.get_config() for layer in loaded.layers] == [
        layer.get_config() for layer in built.layers
    ]


def test_the_shipped_model_is_small_and_good(shipped):
    assert pretrained(shipped).stat().st_size <= 1000 * shipped.kilobytes
    recipe = load_recipe(MODELS / f"{shipped.name}.py")
    x, labels = recipe.split("test")
    predictions = load_model(pretrained(shipped)).model.predict(x, verbose=0)
    assert recipe.score(predictions, labels) >= shipped.score


def test_the_splits_share_no_sample(shipped):
    splits = load_recipe(MODELS / f"{shipped.name}.py").load_data()
    assert [len(labels) for _, labels in splits.values()] == [1200, 200, 397]
    seen = [{sample.tobytes() for sample in x} for x, _ in splits.values()]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def test_the_gru_reads_row_after_row():
    """Its layers mean the same step by step: the last row's answer is the whole digit's."""
    model = load_model(MODELS / "pretrained" / "digits_gru.keras").model
    gru, head = model.get_layer("gru"), model.get_layer("digit")
    x, _ = load_recipe(MODELS / "digits_gru.py").split("test")
    rows = model.get_layer("rescale")(x[:8])
    state = np.zeros((8, gru.units), np.float32)
    for step in range(rows.shape[1]):
        state, _ = gru.cell(rows[:, step], [state])
    expected = keras.ops.convert_to_numpy(model(x[:8]))
    np.testing.assert_allclose(head(state), expected, atol=1e-6)
