"""Predictions of Keras models of every kind, by public names."""

import keras
import numpy as np
import pytest
from keras import layers

from edgenn.frontend.capture import capture
from edgenn.frontend.prediction import predict

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
