import numpy as np
import pytest

from edgenn.errors import DataError, OutputError

RECIPE = """
import keras
import numpy as np
EPOCHS = 2
SEED = 11
def build_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model
def load_data():
    x = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
    y = (x[:, 0] > 0).astype(int)
    return {"train": (x[:30], y[:30]), "test": (x[30:], y[30:])}
def score(predictions, labels):
    return float((predictions.argmax(-1) == labels).mean())
"""


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "tiny.py").write_text(RECIPE)
    return tmp_path / "tiny.py"


def test_training_is_seeded_and_scored(tmp_path, recipe):
    import keras

    from edgenn.training import train

    seen = []
    first = train(recipe, tmp_path / "a.keras", progress=lambda *step: seen.append(step))
    second = train(recipe, tmp_path / "b.keras")
    assert seen == [("training", 1, 2), ("training", 2, 2)]
    assert first.parameters == 6 and 0 <= first.score <= 1
    assert first.score == second.score
    weights = [keras.saving.load_model(tmp_path / f"{n}.keras").get_weights() for n in "ab"]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_default_name(tmp_path, recipe, monkeypatch):
    from edgenn.training import train

    monkeypatch.chdir(tmp_path)
    assert train(recipe).path.name == "tiny.keras"
    assert (tmp_path / "tiny.keras").is_file()


def test_refusals(tmp_path, recipe):
    from edgenn.training import train

    with pytest.raises(OutputError, match=r"must end in \.keras"):
        train(recipe, tmp_path / "a.h5")
    recipe.write_text(RECIPE.replace('"test"', '"exam"'))
    with pytest.raises(DataError, match="no 'test'"):
        train(recipe, tmp_path / "a.keras")
    assert list(tmp_path.glob("*.keras")) == []
