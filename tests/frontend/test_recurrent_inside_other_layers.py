"""Recurrent layers in subclasses, custom layers, subclassed models and wrappers."""

import keras
import numpy as np
import pytest
from support.captured import TOLERANCE, assert_captured, assert_outputs, layer_model, randomize

from edgenn.errors import UnsupportedError
from edgenn.frontend import capture
from edgenn.ir.ops import Lstm, Recurrent, Scan

layers = keras.layers
ops = keras.ops

registered = keras.saving.register_keras_serializable("edgenn_tests")

MASKS = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 1, 0, 1, 1]], bool)


@registered
class Named(layers.LSTM):
    """A subclass that changes nothing."""


@registered
class Residual(layers.GRU):
    """Calls the layer that it is, and adds to what comes out."""

    def call(self, sequences, initial_state=None, mask=None, training=False):
        y = super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        return y + ops.mean(y, axis=1, keepdims=True)


@registered
class Stateless(layers.LSTM):
    """Gives states of its own to the layer that it is."""

    def build(self, sequences_shape, initial_state_shape=None):
        super().build(sequences_shape)
        self.start = self.add_weight(shape=(1, self.units), name="start")

    def get_initial_state(self, batch_size):
        start = ops.repeat(self.start.value, batch_size, axis=0)
        return [start, start * 0.5]


@registered
class PeepholeCell(layers.LSTMCell):
    """A cell of Keras whose call is another."""

    def call(self, inputs, states, training=False):
        h, (_, c) = super().call(inputs, states, training=training)
        h = h + 0.1 * c
        return h, [h, c]


@registered
class Peephole(layers.RNN):
    def __init__(self, units, **options):
        super().__init__(PeepholeCell(units), **options)

    @classmethod
    def from_config(cls, config):
        return cls(config.pop("cell")["config"]["units"], **config)


class NoisyCell(layers.SimpleRNNCell):
    """A cell of Keras that asks for the masks of its dropout at each step."""

    def call(self, sequence, states, training=False):
        y, states = super().call(sequence, states, training=training)
        return y * 0.5, states


@registered
class OwnLoop(layers.LSTM):
    def inner_loop(self, sequences, initial_state, mask, training=False):
        return super().inner_loop(sequences * 2.0, initial_state, mask, training)


SUBCLASSES = {"named": Named, "residual": Residual, "stateless": Stateless, "peephole": Peephole}
each_subclass = pytest.mark.parametrize("class_", SUBCLASSES.values(), ids=SUBCLASSES)


def recurrent_ops(graph):
    return [op for op in graph.ops if isinstance(op.operator, Recurrent | Scan)]


@each_subclass
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("length", [None, 5])
def test_subclasses(class_, backwards, length):
    layer = class_(4, return_sequences=True, go_backwards=backwards, name="tested")
    graph = assert_captured(layer_model(layer, (length, 3)))
    assert len(recurrent_ops(graph)) == 1
    assert list(graph.outputs.values()) == ["tested"]


@each_subclass
def test_subclasses_with_masks(class_):
    layer = class_(4, return_sequences=True)
    x, mask = keras.Input((5, 3), name="x"), keras.Input((5,), dtype="bool", name="mask")
    samples = np.random.default_rng(0).normal(size=(3, 5, 3)).astype("float32")
    assert_captured(keras.Model([x, mask], layer(x, mask=mask)), inputs=[samples, MASKS])


@pytest.mark.parametrize("class_", [Named, Peephole, Stateless])
def test_subclasses_that_return_their_states(class_):
    assert_captured(layer_model(class_(4, return_state=True), (5, 3)))


@each_subclass
def test_subclasses_in_both_directions(class_):
    layer = layers.Bidirectional(class_(4, return_sequences=True))
    assert_captured(layer_model(layer, (5, 3)))


def test_a_subclass_of_bidirectional():
    class Both(layers.Bidirectional):
        def call(self, sequences, initial_state=None, mask=None, training=None):
            return super().call(sequences, mask=mask, training=training) * 2.0

    graph = assert_captured(layer_model(Both(layers.LSTM(4, return_sequences=True)), (5, 3)))
    assert len(recurrent_ops(graph)) == 2


def test_dropout_of_a_traced_cell():
    cell = NoisyCell(4, dropout=0.5, recurrent_dropout=0.5)
    assert_captured(layer_model(layers.RNN(cell), (5, 3)))


def test_a_stateful_subclass_is_named():
    x = keras.Input((5, 3), batch_size=2, name="x")
    graph = capture(keras.Model(x, Named(4, stateful=True, name="kept")(x)))
    assert graph.metadata == {"layers": ("kept",), "stateful": ["kept"]}
    assert recurrent_ops(graph)[0].inputs[1] == "kept/kernel"


def test_a_loop_of_its_own_is_refused():
    with pytest.raises(UnsupportedError, match=r"^tested: OwnLoop has an inner_loop of its own"):
        capture(layer_model(OwnLoop(4, name="tested"), (5, 3)))


class Encoder(keras.Layer):
    """A custom layer with recurrent layers inside, one stateful."""

    def __init__(self, stateful=False, **options):
        super().__init__(**options)
        self.first = layers.LSTM(4, return_sequences=True, return_state=True, name="first")
        self.second = layers.GRU(3, stateful=stateful, name="second")

    def build(self, shape):
        self.first.build(shape)
        self.second.build((*shape[:2], 4))
        self.built = True

    def call(self, x):
        y, h, _ = self.first(x)
        return ops.concatenate([self.second(ops.relu(y)), h], axis=-1)


def test_inside_a_custom_layer():
    graph = assert_captured(layer_model(Encoder(name="tested"), (None, 3)))
    first, second = recurrent_ops(graph)
    assert first.inputs[1] == "tested/first/kernel"
    assert second.inputs[1] == "tested/second/kernel"
    assert isinstance(first.operator, Lstm)


def test_a_stateful_layer_inside_a_custom_layer():
    layer = Encoder(stateful=True, name="tested")
    x = keras.Input((5, 3), batch_size=2, name="x")
    model = keras.Model(x, layer(x))
    randomize(model)
    graph = capture(model)
    layer.second.reset_state()
    samples = np.random.default_rng(1).normal(size=x.shape).astype("float32")
    assert_outputs(graph, [samples], [model(samples)], TOLERANCE)
    assert graph.metadata == {"layers": ("tested",), "stateful": ["tested/second"]}


class Network(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.both = layers.Bidirectional(layers.LSTM(2, return_sequences=True))
        self.dense = layers.Dense(2)

    def call(self, x):
        return {"code": self.encoder(x), "steps": self.dense(self.both(x))}


def test_inside_a_subclassed_model():
    model = Network()
    samples = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    model(samples)
    randomize(model)
    graph = capture(model)
    assert_outputs(graph, [samples], keras.tree.flatten(model(samples)), TOLERANCE)
    assert len(recurrent_ops(graph)) == 4


def test_inside_a_nested_model_called_twice():
    inner = keras.Sequential([keras.Input((5, 3)), layers.LSTM(4), layers.Dense(2)])
    a, b = keras.Input((5, 3), name="a"), keras.Input((5, 3), name="b")
    assert_captured(keras.Model([a, b], layers.Concatenate()([inner(a), inner(b)])))


@pytest.mark.parametrize(
    "inner",
    [
        lambda: layers.LSTM(4),
        lambda: layers.Bidirectional(layers.GRU(4, return_sequences=True)),
        lambda: layers.RNN([layers.GRUCell(3), PeepholeCell(2)]),
        lambda: Residual(4, return_sequences=True),
    ],
)
@pytest.mark.parametrize("sizes", [(3, 5), (3, None), (None, 5), (None, None)])
def test_for_each_step_of_another_sequence(inner, sizes):
    assert_captured(layer_model(layers.TimeDistributed(inner()), (*sizes, 2)))


# Masks that are carried


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.LSTM(4, return_sequences=True),
        lambda: layers.LSTM(4, go_backwards=True),
        lambda: layers.Bidirectional(layers.GRU(4, return_sequences=True), merge_mode="sum"),
        lambda: layers.Bidirectional(layers.SimpleRNN(4)),
        lambda: layers.RNN([layers.LSTMCell(4), PeepholeCell(3)], return_sequences=True),
        lambda: Named(4, return_sequences=True),
        lambda: Residual(4, return_sequences=True),
    ],
)
@pytest.mark.parametrize("length", [None, 5])
def test_masks_of_an_embedding_go_through(layer, length):
    x = keras.Input((length,), dtype="int32", name="x")
    y = layer()(layers.Embedding(5, 3, mask_zero=True)(x))
    if len(y.shape) == 3:
        y = layers.GRU(2)(y)
    words = np.array([[1, 2, 3, 0, 0], [4, 4, 0, 1, 2], [0, 0, 1, 2, 3], [0, 0, 0, 0, 0]])
    assert_captured(keras.Model(x, layers.Dense(2)(y)), inputs=[words.astype("int32")])


def test_masks_of_both_sides_of_a_translator():
    source, target = (keras.Input((None,), dtype="int32", name=name) for name in "ab")
    embedding = layers.Embedding(5, 3, mask_zero=True)
    _, *states = layers.LSTM(4, return_state=True)(embedding(source))
    decoder = layers.LSTM(4, return_sequences=True)
    y = layers.Dense(5, activation="softmax")(decoder(embedding(target), initial_state=states))
    words = np.array([[1, 2, 3, 0, 0], [4, 4, 0, 1, 2], [0, 0, 1, 2, 3], [0, 0, 0, 0, 0]])
    words = words.astype("int32")
    assert_captured(keras.Model([source, target], y), inputs=[words, words[::-1].copy()])
