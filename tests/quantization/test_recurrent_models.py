"""Keras models around recurrent layers in integers, in every form: exact, and near to Keras."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from support.integer_networks import assert_exact, computes_in_integers, in_integers, real

from edgenn.compiler import graph_of
from edgenn.frontend.keras_import import keras
from edgenn.ir.graph import Graph

layers = keras.layers
RNG = np.random.default_rng(0)
WORDS = 20


def two_inputs(layer):
    """The same layer for two inputs of very different scales."""
    a, b = (keras.Input((7, 4), name=name) for name in "ab")
    y = layers.Dense(3, name="dense")(layers.Concatenate()([layer(a), layer(b)]))
    return keras.Model([a, b], y), {"a": numbers(7, 4), "b": 9 * numbers(7, 4)}


def applied_to_itself(layer):
    x = keras.Input((7, 4), name="a")
    return keras.Model(x, layer(layer(x))), {"a": numbers(7, 4)}


def of_words(layer, *, masked):
    x = keras.Input((7,), dtype="int32", name="a")
    embedding = layers.Embedding(WORDS, 6, mask_zero=masked, embeddings_initializer="normal")
    ids = RNG.integers(1, WORDS, (40, 7)).astype(np.int32)
    ids[:, 4:] *= RNG.integers(0, 2, (40, 3)).astype(np.int32)
    ids[0] = 0
    return keras.Model(x, layers.Dense(3)(layer(embedding(x)))), {"a": ids}


def behind_convolutions(first, last):
    """A CRNN."""
    x = keras.Input((16, 4), name="a")
    y = layers.Conv1D(8, 3, padding="same", activation="relu")(x)
    y = layers.MaxPooling1D(2)(layers.BatchNormalization()(y))
    y = last(layers.Bidirectional(first)(y))
    return keras.Model(x, layers.Dense(3)(y)), {"a": numbers(16, 4)}


def of_frames(layer):
    x = keras.Input((4, 6, 6, 2), name="a")
    y = layers.TimeDistributed(layers.Conv2D(4, 3, activation="relu"))(x)
    y = layers.TimeDistributed(layers.Flatten())(y)
    return keras.Model(x, layers.Dense(3)(layer(y))), {"a": numbers(4, 6, 6, 2)}


def attention(layer):
    """The sequence is read by a dense layer, a product and a sum."""
    x = keras.Input((7, 4), name="a")
    y = layer(x)
    weights = layers.Softmax(axis=1)(layers.Dense(1, activation="tanh")(y))
    return keras.Model(x, layers.Dense(3)(keras.ops.sum(y * weights, axis=1))), {"a": numbers(7, 4)}


def masked_numbers(layer):
    x = keras.Input((7, 4), name="a")
    data = numbers(7, 4)
    data[:, 5:] = 0
    data[1, 2], data[2] = 0, 0
    y = layers.Bidirectional(layer)(layers.Masking()(x))
    return keras.Model(x, layers.Dense(3)(y)), {"a": data}


def encoder_and_decoder(kind):
    a, b = keras.Input((7, 4), name="a"), keras.Input((5, 4), name="b")
    _, *states = kind(5, return_state=True)(a)
    y = kind(5, return_sequences=True)(b, initial_state=states)
    return keras.Model([a, b], layers.Dense(3)(y)), {"a": numbers(7, 4), "b": numbers(5, 4)}


def numbers(*shape):
    return RNG.normal(size=(40, *shape)).astype("float32")


def lstm(units: int = 5, **options):
    return layers.LSTM(units, name=f"lstm_{units}", **options)


def gru(units: int = 4, **options):
    return layers.GRU(units, name=f"gru_{units}", **options)


Build = Callable[[], tuple[keras.Model, dict[str, np.ndarray]]]
LSTMS: dict[str, Build] = {
    "two_inputs": lambda: two_inputs(lstm()),
    "applied_to_itself": lambda: applied_to_itself(lstm(4, return_sequences=True)),
    "words": lambda: of_words(lstm(), masked=False),
    "masked_words": lambda: of_words(lstm(), masked=True),
    "crnn": lambda: behind_convolutions(lstm(return_sequences=True), lstm(3)),
    "frames": lambda: of_frames(lstm()),
    "attention": lambda: attention(lstm(return_sequences=True)),
    "masking": lambda: masked_numbers(lstm()),
}
OTHERS: dict[str, Build] = {
    "two_inputs": lambda: two_inputs(gru(return_sequences=True)),
    "lstm_and_gru": lambda: behind_convolutions(
        lstm(return_sequences=True), gru(reset_after=False)
    ),
    "masked_words": lambda: of_words(gru(), masked=True),
    "frames": lambda: of_frames(gru()),
    "masking": lambda: masked_numbers(gru()),
    "encoder_and_decoder": lambda: encoder_and_decoder(layers.LSTM),
    "simple_rnn": lambda: of_words(layers.SimpleRNN(5), masked=False),
}
FORMS = [
    ("loop", "int8", "int16"),
    ("loop", "int8", "int8"),
    ("unrolled", "int8", "int16"),
    ("loop", "int16x8", "int16"),
]
TOLERANCES = {"int16": 0.03, "int8": 0.08, "auto": 0.03}
"""Root mean square error, as a share of the outputs' range."""


@cache
def prepared(build: Build) -> tuple[Graph, dict[str, np.ndarray], np.ndarray]:
    """The model's graph, its data, and what Keras makes of them."""
    keras.utils.set_random_seed(1)
    model, inputs = build()
    arrays = list(inputs.values())
    expected = np.asarray(model(arrays if len(arrays) > 1 else arrays[0]))
    return graph_of(model, name="model"), inputs, expected


def assert_good(build: Build, form: str, scheme: str, precision: str) -> None:
    graph, inputs, expected = prepared(build)
    integers = in_integers(graph, inputs, form, scheme, precision)
    assert computes_in_integers(integers)
    assert_each_made_once(integers)
    (values,) = real(integers, assert_exact(integers, inputs)).values()
    error = np.sqrt(np.mean(np.square(values - expected)))
    assert error <= TOLERANCES[precision] * np.ptp(expected)


def assert_each_made_once(graph: Graph) -> None:
    made = [name for op in graph.ops for name in op.outputs]
    assert len(made) == len(set(made))
    assert not any(graph.tensors[name].is_constant for name in made)


@pytest.mark.parametrize("name", LSTMS)
@pytest.mark.parametrize(("form", "scheme", "precision"), [*FORMS, ("fused", "int8", "auto")])
def test_lstms(name, form, scheme, precision):
    assert_good(LSTMS[name], form, scheme, precision)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize(("form", "scheme", "precision"), FORMS)
def test_others(name, form, scheme, precision):
    assert_good(OTHERS[name], form, scheme, precision)
