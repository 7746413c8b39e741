"""Predictions of Keras models of every kind, by public names."""

import keras
import numpy as np
import pytest
from keras import layers

from edgenn.errors import DataError
from edgenn.frontend.capture import capture
from edgenn.frontend.prediction import predict
from edgenn.frontend.stateful import Sequences

A = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
B = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)


class TwoArguments(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)

    def build(self, left_shape, right_shape):
        self.dense.build(left_shape)

    def call(self, left, right):
        return self.dense(left - 2 * right)


class OneArgument(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, x):
        return {"logits": self.dense(x), "twice": 2 * x}


def functional(inputs):
    flat = keras.tree.flatten(inputs)
    return keras.Model(inputs, layers.Dense(3)(flat[0] - 2 * flat[1]))


def two():
    return keras.Input((4,), name="a"), keras.Input((4,), name="b")


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.Sequential([keras.Input((4,), name="a"), layers.Dense(3)]),
        lambda: functional(list(two())),
        lambda: functional(two()),
        lambda: functional(dict(zip("pq", two(), strict=True))),
        OneArgument,
        TwoArguments,
    ],
)
def test_predictions_are_those_of_the_model(make, tmp_path):
    model = make()
    if isinstance(model, OneArgument | TwoArguments):
        expected = model(A) if isinstance(model, OneArgument) else model(A, B)
    else:
        path = tmp_path / "m.keras"
        model.save(path)  # a model that was loaded has never been called
        model = keras.models.load_model(path)
        inputs = keras.tree.pack_sequence_as(model.inputs, [A, B][: len(model.inputs)])
        expected = model(inputs)
    graph = capture(model)
    samples = dict(zip(graph.inputs, (A, B), strict=False))
    parts = [{name: x[:2] for name, x in samples.items()}, {n: x[2:] for n, x in samples.items()}]
    found = predict(model, list(graph.inputs), list(graph.outputs), parts)
    assert list(found) == list(graph.outputs)
    for array, wanted in zip(found.values(), keras.tree.flatten(expected), strict=True):
        np.testing.assert_allclose(array, wanted, atol=1e-6)


def stateful(steps=None):
    x = keras.Input(batch_shape=(2, steps, 3), name="x")
    y = layers.LSTM(4, stateful=True, return_sequences=True)(x)
    inner = keras.Sequential([keras.Input(batch_shape=(2, steps, 4)), layers.GRU(4, stateful=True)])
    return keras.Model(x, {"sequence": y, "last": inner(y)})


SEQUENCES = np.random.default_rng(3).normal(size=(4, 6, 3)).astype(np.float32)


def test_states_are_reset_before_each_batch_and_left_alone():
    model = stateful()
    (left, *_) = (layer.states for layer in model.layers if isinstance(layer, layers.LSTM))
    fresh = model.predict_on_batch(SEQUENCES[2:])
    before = [state.numpy() for state in left]
    assert any(state.any() for state in before)
    batches = [{"x": SEQUENCES[:2]}, {"x": SEQUENCES[2:]}]
    result = predict(model, ["x"], ["last", "sequence"], batches)
    np.testing.assert_allclose(result["sequence"][2:], fresh["sequence"], atol=1e-6)
    np.testing.assert_allclose(result["last"][2:], fresh["last"], atol=1e-6)
    for state, value in zip(left, before, strict=True):
        np.testing.assert_array_equal(state.numpy(), value)


def test_long_sequences_go_piece_by_piece():
    model, open_model = stateful(2), stateful()
    open_model.set_weights(model.get_weights())
    names = ["last", "sequence"]
    expected = predict(open_model, ["x"], names, [{"x": SEQUENCES[:2]}])
    cut = Sequences(2, {"x": 1}, {"sequence": 1})
    result = predict(model, ["x"], names, [{"x": SEQUENCES[:2]}], cut)
    for name in names:
        np.testing.assert_allclose(result[name], expected[name], atol=1e-6)
    with pytest.raises(DataError, match="5 steps are no multiple of the model's 2"):
        predict(model, ["x"], names, [{"x": SEQUENCES[:2, :5]}], cut)


def test_another_length_than_the_last_prediction_had():
    """Keras 3.15 gives a sequence of as many steps as there are samples."""
    x = keras.Input(batch_shape=(2, None, 3), name="x")
    steps = layers.GRU(4, return_sequences=True)(x)
    model = keras.Model(x, layers.TimeDistributed(layers.Dense(5))(steps))
    model.predict_on_batch(SEQUENCES[:2, :4])
    (result,) = predict(model, ["x"], ["y"], [{"x": SEQUENCES[:2]}]).values()
    np.testing.assert_allclose(result, model(SEQUENCES[:2]).numpy(), atol=1e-6)
