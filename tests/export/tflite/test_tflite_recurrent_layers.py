"""Recurrent layers of every kind as loops in LiteRT, in float32. Witness: Keras."""

import keras
import numpy as np
import pytest
from support.captured import randomize
from support.litert import DEFAULT, REFERENCE, run

from edgenn.frontend import capture
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.passes import simplify

layers = keras.layers
ops = keras.ops

BATCH = 3
LENGTH = 5
MASKS = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], bool)


class Leaky(keras.Layer):
    """Two states, an output of its own, a learned start, a state handed on as it is."""

    state_size = [3, 3, 1]
    output_size = 2

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 3), name="kernel")
        self.readout = self.add_weight(shape=(3, 2), name="readout")
        self.start = self.add_weight(shape=(1, 3), name="start")
        self.built = True

    def get_initial_state(self, batch_size=None):
        zeros = [ops.zeros((batch_size, size)) for size in (3, 1)]
        return [ops.repeat(self.start.value, batch_size, 0), *zeros]

    def call(self, inputs, states):
        slow, fast, fixed = states
        new = ops.tanh(inputs @ self.kernel + fast)
        slow = 0.9 * slow + 0.1 * new
        return (slow + fixed) @ self.readout, [slow, new, fixed]


class Twice(keras.Layer):
    """Both new states are one tensor, and so is the output."""

    state_size = [3, 3]

    def call(self, inputs, states):
        new = ops.maximum(inputs, states[0] * 0.5 + states[1] * 0.25)
        return new, [new, new]


class Same(keras.Layer):
    """The output is the input, and the state never changes."""

    state_size = 3

    def call(self, inputs, states):
        return inputs, states


CELLS = {
    "leaky": Leaky,
    "twice": Twice,
    "same": Same,
    "stack": lambda: [layers.LSTMCell(4), Leaky(), layers.GRUCell(3, reset_after=False)],
}


def compare(model, *inputs, batch=None, resolvers=(REFERENCE, DEFAULT)):
    """LiteRT gives what Keras gives, with its reference kernels and the default ones."""
    randomize(model)
    graph = to_loops(simplify(capture(model, batch=batch)))
    argument = list(inputs) if len(inputs) > 1 else inputs[0]
    expected = [np.asarray(value) for value in keras.tree.flatten(model(argument))]
    given = dict(zip(graph.inputs, inputs, strict=True))
    for resolver in resolvers:
        results = run(graph, given, resolver)
        for name, wanted in zip(graph.outputs, expected, strict=True):
            scale = max(1.0, float(np.abs(wanted).max()))
            np.testing.assert_allclose(results[name], wanted, rtol=0, atol=2e-5 * scale)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def compare_layer(layer, shape, *, batch=None, length=None, masked=False, stacked=False):
    """A layer on open batch and length, or fixed ones."""
    x = keras.Input((length, *shape), name="x")
    mask = keras.Input((length,), dtype="bool", name="mask")
    y = layer(x, mask=mask) if masked else layer(x)
    if stacked:
        y = layers.GRU(2)(y)
    model = keras.Model([x, mask] if masked else x, y)
    given = [numbers(BATCH, LENGTH, *shape), *([MASKS] if masked else [])]
    compare(model, *given, batch=batch)


each_size = pytest.mark.parametrize(
    "sizes", [(None, None), (BATCH, None), (None, LENGTH), (BATCH, LENGTH)], ids=str
)
each_mask = pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
NAMED = {
    "lstm": lambda **o: layers.LSTM(4, **o),
    "gru": lambda **o: layers.GRU(4, **o),
    "gru_reset_before": lambda **o: layers.GRU(4, reset_after=False, **o),
    "simple_rnn": lambda **o: layers.SimpleRNN(4, **o),
}


@each_size
@each_mask
@pytest.mark.parametrize("kind", NAMED)
def test_named_layers(kind, masked, sizes):
    batch, length = sizes
    options = {"return_sequences": True, "return_state": True, "go_backwards": True}
    compare_layer(NAMED[kind](**options), (3,), batch=batch, length=length, masked=masked)
    compare_layer(NAMED[kind](), (3,), batch=batch, length=length, masked=masked)


@each_size
@each_mask
@pytest.mark.parametrize("backwards", [False, True])
def test_initial_states(masked, sizes, backwards):
    batch, length = sizes
    x = keras.Input((length, 3), name="x")
    states = [keras.Input((4,), name=name) for name in "hc"]
    mask = keras.Input((length,), dtype="bool", name="mask")
    layer = layers.LSTM(4, return_sequences=True, go_backwards=backwards)
    y = layer(x, initial_state=states, **({"mask": mask} if masked else {}))
    given = [numbers(BATCH, LENGTH, 3), numbers(BATCH, 4), numbers(BATCH, 4, seed=1)]
    model = keras.Model([x, *states, *([mask] if masked else [])], y)
    compare(model, *given, *([MASKS] if masked else []), batch=batch)


@each_size
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("name", ["lstm", "leaky"])
def test_zeros_at_masked_steps(name, sequences, sizes):
    batch, length = sizes
    cell = layers.LSTMCell(4) if name == "lstm" else Leaky()
    layer = layers.RNN(cell, zero_output_for_mask=True, return_sequences=sequences)
    compare_layer(layer, (3,), batch=batch, length=length, masked=True)


@each_size
@each_mask
@pytest.mark.parametrize("name", CELLS)
def test_custom_cells(name, masked, sizes):
    batch, length = sizes
    layer = layers.RNN(CELLS[name](), return_sequences=True, return_state=True)
    compare_layer(layer, (3,), batch=batch, length=length, masked=masked)
    layer = layers.RNN(CELLS[name](), go_backwards=True)
    compare_layer(layer, (3,), batch=batch, length=length, masked=masked)


@each_size
@each_mask
@pytest.mark.parametrize("rank", [1, 2])
def test_convolutional_lstms(rank, masked, sizes):
    batch, length = sizes
    class_ = {1: layers.ConvLSTM1D, 2: layers.ConvLSTM2D}[rank]
    layer = class_(2, 3, padding="same", return_sequences=True, return_state=True)
    compare_layer(layer, (*[5] * rank, 3), batch=batch, length=length, masked=masked)


@each_size
@each_mask
@pytest.mark.parametrize("mode", ["concat", "ave", None])
@pytest.mark.parametrize("sequences", [False, True])
def test_both_directions(mode, sequences, masked, sizes):
    batch, length = sizes
    inner = layers.GRU(4, return_sequences=sequences, return_state=True)
    layer = layers.Bidirectional(inner, merge_mode=mode)
    compare_layer(layer, (3,), batch=batch, length=length, masked=masked)


@pytest.mark.parametrize(
    "activation",
    ["relu", "linear", "hard_sigmoid", "softsign", "softplus", "elu", "leaky_relu", "gelu", "selu"],
)
def test_activations(activation):
    x = keras.Input((None, 3), name="x")
    layer = layers.LSTM(4, activation=activation, recurrent_activation="hard_sigmoid")
    model = keras.Model(x, layer(x))
    compare(model, numbers(BATCH, LENGTH, 3), resolvers=[DEFAULT])  # ELU has no reference kernel


def test_layers_on_layers():
    compare_layer(layers.Bidirectional(layers.LSTM(4, return_sequences=True)), (3,), stacked=True)


@each_size
def test_words_with_padding(sizes):
    batch, length = sizes
    x = keras.Input((length,), dtype="int32", name="x")
    y = layers.Embedding(9, 4, mask_zero=True)(x)
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(y)
    y = layers.Dense(2)(layers.GRU(3)(y))
    words = np.array([[3, 1, 2, 0, 0], [0, 4, 0, 5, 0], [0, 0, 0, 0, 0]], np.int32)
    compare(keras.Model(x, y), words, batch=batch)
