"""Bidirectional layers with every option. Witness: Keras."""

from itertools import product

import keras
import numpy as np
import pytest
from support.captured import TOLERANCE, assert_captured, assert_outputs, layer_model, randomize

from edgenn.errors import UnsupportedError
from edgenn.frontend import capture
from edgenn.ir.ops import Recurrent, Reverse

layers = keras.layers

MASKS = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
MODES = ["concat", "sum", "ave", "mul", None]
KINDS = {
    "lstm": layers.LSTM,
    "gru": layers.GRU,
    "simple_rnn": layers.SimpleRNN,
    "cell": lambda units, **options: layers.RNN(layers.LSTMCell(units), **options),
    "stack": lambda units, **options: layers.RNN(
        [layers.GRUCell(3), layers.LSTMCell(units)], **options
    ),
    "conv": lambda units, **options: layers.ConvLSTM1D(units, 3, padding="same", **options),
}
each_mode = pytest.mark.parametrize("mode", MODES)
each_kind = pytest.mark.parametrize("kind", KINDS)
each_pair = pytest.mark.parametrize("pair", list(product((False, True), repeat=2)))


def shape_of(kind, length=5):
    return (length, 6, 3) if kind == "conv" else (length, 3)


def assert_adjacent(graph):
    """Both directions stand side by side and read the same, for ONNX to write one node."""
    places = [i for i, op in enumerate(graph.ops) if isinstance(op.operator, Recurrent)]
    first, second = places
    assert second == first + 1
    forward, backward = graph.ops[first], graph.ops[second]
    assert forward.inputs[0] == backward.inputs[0]
    assert (forward.operator.reverse, backward.operator.reverse) == (False, True)
    assert not any(isinstance(op.operator, Reverse) for op in graph.ops)
    assert forward.inputs[1].startswith("tested/forward_")
    assert backward.inputs[1].startswith("tested/backward_")


@each_kind
@each_mode
@each_pair
def test_what_is_returned(kind, mode, pair):
    sequences, state = pair
    inner = KINDS[kind](4, return_sequences=sequences, return_state=state)
    layer = layers.Bidirectional(inner, merge_mode=mode, name="tested")
    graph = assert_captured(layer_model(layer, shape_of(kind)))
    if kind not in ("stack", "conv"):
        assert_adjacent(graph)


@each_kind
@pytest.mark.parametrize("sequences", [False, True])
def test_open_length(kind, sequences):
    layer = layers.Bidirectional(KINDS[kind](4, return_sequences=sequences))
    assert_captured(layer_model(layer, shape_of(kind, None)))


@each_kind
@each_pair
def test_masks(kind, pair):
    sequences, unroll = pair
    if kind == "conv" and unroll:
        pytest.skip("no such option")
    options = {} if kind == "conv" else {"unroll": unroll}
    inner = KINDS[kind](4, return_sequences=sequences, **options)
    layer = layers.Bidirectional(inner, merge_mode="concat", name="tested")
    x = keras.Input(shape_of(kind), name="x")
    mask = keras.Input((5,), dtype="bool", name="mask")
    samples = np.random.default_rng(0).normal(size=(4, *shape_of(kind))).astype("float32")
    graph = assert_captured(keras.Model([x, mask], layer(x, mask=mask)), inputs=[samples, MASKS])
    if kind not in ("stack", "conv") and not (unroll and sequences):
        assert_adjacent(graph)


@pytest.mark.parametrize("kind", ["lstm", "gru", "simple_rnn"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_initial_states(kind, masked, sequences):
    inner = KINDS[kind](4, return_sequences=sequences, return_state=True)
    layer = layers.Bidirectional(inner, name="tested")
    x, mask = keras.Input((5, 3), name="x"), keras.Input((5,), dtype="bool", name="mask")
    states = [keras.Input((4,), name=f"s{i}") for i in range(4 if kind == "lstm" else 2)]
    y = layer(x, initial_state=states, **({"mask": mask} if masked else {}))
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(4, 5, 3)), *(rng.normal(size=(4, 4)) for _ in states)]
    inputs = [array.astype("float32") for array in inputs]
    model = keras.Model([x, *states, *([mask] if masked else [])], y)
    graph = assert_captured(model, inputs=[*inputs, *([MASKS] if masked else [])])
    assert_adjacent(graph)


# Two layers that differ


@each_mode
@pytest.mark.parametrize("sequences", [False, True])
def test_layers_of_different_kinds(mode, sequences):
    layer = layers.Bidirectional(
        layers.LSTM(4, return_sequences=sequences),
        merge_mode=mode,
        backward_layer=layers.GRU(4, return_sequences=sequences, go_backwards=True),
        name="tested",
    )
    graph = assert_captured(layer_model(layer, (5, 3)))
    forward, backward = (op for op in graph.ops if isinstance(op.operator, Recurrent))
    assert (forward.kind, backward.kind) == ("lstm", "gru")


def test_layers_of_different_sizes():
    layer = layers.Bidirectional(
        layers.LSTM(4, return_sequences=True),
        backward_layer=layers.LSTM(2, return_sequences=True, go_backwards=True),
    )
    model = layer_model(layer, (5, 3))
    randomize(model)
    graph = capture(model)
    samples = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    assert_outputs(graph, [samples], [model(samples)], TOLERANCE)


@pytest.mark.parametrize("sequences", [False, True])
def test_the_forward_layer_going_backwards(sequences):
    layer = layers.Bidirectional(
        layers.LSTM(4, return_sequences=sequences, go_backwards=True),
        backward_layer=layers.LSTM(4, return_sequences=sequences),
    )
    assert_captured(layer_model(layer, (5, 3)))


def test_states_of_different_kinds():
    layer = layers.Bidirectional(
        layers.LSTM(4, return_state=True),
        backward_layer=layers.GRU(4, return_state=True, go_backwards=True),
        name="tested",
    )
    with pytest.raises(UnsupportedError, match=r"^tested: it returns 4 tensors, .* 5"):
        capture(layer_model(layer, (5, 3)))


@keras.saving.register_keras_serializable("edgenn_tests")
class Shift(keras.Layer):
    """No recurrent layer, but one that ``Bidirectional`` takes."""

    def __init__(self, go_backwards=False, **options):
        super().__init__(**options)
        self.go_backwards = go_backwards
        self.return_sequences, self.return_state, self.stateful = True, False, False

    def call(self, x, initial_state=None, mask=None):
        x = keras.ops.flip(x, axis=1) if self.go_backwards else x
        return keras.ops.concatenate([x[:, :1] * 0.0, x[:, :-1]], axis=1)

    def compute_output_shape(self, shape, initial_state_shape=None):
        return shape

    def get_config(self):
        return {**super().get_config(), "go_backwards": self.go_backwards}


def test_layers_that_are_not_recurrent():
    assert_captured(layer_model(layers.Bidirectional(Shift()), (5, 3)))


def test_stateful_layers_are_both_named():
    inner = layers.LSTM(4, stateful=True, name="inner")
    layer = layers.Bidirectional(inner, name="kept")
    x = keras.Input((5, 3), batch_size=2, name="x")
    graph = capture(keras.Model(x, layer(x)))
    assert graph.metadata == {
        "layers": ("kept",),
        "stateful": ["kept/forward_inner", "kept/backward_inner"],
    }


def test_two_in_a_row():
    x = keras.Input((None, 3), name="x")
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    y = layers.Bidirectional(layers.GRU(3))(y)
    assert_captured(keras.Model(x, layers.Dense(2)(y)))
