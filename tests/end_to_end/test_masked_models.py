"""Models with Keras masks, in both formats; Keras is the witness."""

import keras
import numpy as np
import pytest
from keras import layers

import edgenn
from edgenn.bundle import Bundle

STEPS, WORDS = 8, 20
RANDOM = np.random.default_rng(8)
LENGTHS = np.array([8, 1, 3, 5, 0, 7])

IDS = RANDOM.integers(1, WORDS, (len(LENGTHS), STEPS)).astype(np.int32)
IDS[np.arange(STEPS) >= LENGTHS[:, None]] = 0
SIGNALS = RANDOM.normal(size=(len(LENGTHS), STEPS, 3)).astype(np.float32)
SIGNALS[np.arange(STEPS) >= LENGTHS[:, None]] = -1


def words(steps=STEPS):
    ids = keras.Input((steps,), dtype="int32", name="x")
    return ids, layers.Embedding(WORDS, 4, mask_zero=True)(ids)


def transformer():
    """Every sequence has a position of its own; the classifier takes the mean of the kept ones."""
    ids, x = words()
    x = layers.Dense(4)(x)
    y = layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
    return keras.Model(ids, layers.Dense(3)(layers.GlobalAveragePooling1D()(y)))


def attention(kind, steps=STEPS):
    def build():
        ids, x = words(steps)
        return keras.Model(ids, kind()([x, layers.Dense(4)(x)]))

    return build


def pooling():
    x = keras.Input((None, 3), name="x")
    y = layers.Dense(4, activation="tanh")(layers.Masking(-1.0)(x))
    return keras.Model(x, layers.GlobalAveragePooling1D()(y))


def merged():
    ids, x = words()
    other = layers.Embedding(WORDS, 4, mask_zero=True)(layers.Lambda(lambda t: t - t // 4 * 4)(ids))
    pairs = [layers.Multiply()([x, other]), layers.Maximum()([x, other])]
    return keras.Model(ids, layers.GlobalAveragePooling1D()(layers.Concatenate()(pairs)))


def distributed():
    ids, x = words()
    frames = keras.Sequential([layers.Dense(3), layers.LayerNormalization()])
    y = layers.TimeDistributed(frames)(x)
    return keras.Model(ids, layers.GlobalAveragePooling1D()(y))


MODELS = {
    "attention": attention(layers.Attention),
    "attention_open": attention(layers.Attention, None),
    "additive_attention": attention(layers.AdditiveAttention),
    "distributed": distributed,
    "merged": merged,
    "pooling": pooling,
    "transformer": transformer,
}


@pytest.mark.filterwarnings("ignore:Layer .* does not support masking")
@pytest.mark.parametrize("name", MODELS)
def test_both_formats_give_what_keras_gives(name, tmp_path):
    keras.utils.set_random_seed(5)
    model = MODELS[name]()
    samples = SIGNALS if model.inputs[0].dtype == "float32" else IDS
    expected = keras.ops.convert_to_numpy(model(samples))
    edgenn.convert(model, tmp_path / "out", quantize=("float32",))
    bundle = Bundle.load(tmp_path / "out")
    assert len(bundle.artifacts) == 2
    for file in bundle.artifacts:
        result = edgenn.Session(bundle.file(file)).run(samples)
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)
