"""RNN around any cell: Keras's own, stacks, custom ones. Witness: Keras."""

from itertools import product

import keras
import numpy as np
import pytest
from support.captured import assert_captured, layer_model

from edgenn.errors import UnsupportedError
from edgenn.frontend import capture
from edgenn.ir.ops import Gru, Lstm, Recurrent, Scan, SimpleRnn

layers = keras.layers
ops = keras.ops

MASKS = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
FLAGS = list(product((False, True), repeat=3))


class Minimal(keras.Layer):
    """The example of Keras's documentation: the output is the state."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(self.units, self.units), name="recurrent")
        self.built = True

    def call(self, inputs, states):
        output = ops.tanh(inputs @ self.kernel + ops.matmul(states[0], self.recurrent_kernel))
        return output, [output]


class Leaky(keras.Layer):
    """Two states of different sizes, an output of its own, a layer inside, a learned start."""

    state_size = [3, 2]
    output_size = 5

    def __init__(self, **options):
        super().__init__(**options)
        self.dense = layers.Dense(3, activation="tanh")
        self.readout = layers.Dense(5)

    def build(self, shape):
        self.dense.build((None, shape[-1] + 2))
        self.readout.build((None, 5))
        self.start = self.add_weight(shape=(1, 3), name="start")
        self.built = True

    def get_initial_state(self, batch_size=None):
        return [ops.repeat(self.start.value, batch_size, 0), ops.zeros((batch_size, 2))]

    def call(self, inputs, states):
        slow, fast = states
        new = self.dense(ops.concatenate([inputs, fast], axis=-1))
        slow = 0.9 * slow + 0.1 * new
        fast = new[:, :2] * ops.sigmoid(slow[:, :2])
        return self.readout(ops.concatenate([slow, fast], axis=-1)), [slow, fast]


class Counter(keras.Layer):
    """A state that is not a list, handed on as it is but for a sum; the output is the input."""

    state_size = 1
    output_size = 3

    def call(self, inputs, state):
        return inputs * 2.0, state[0] + 1.0


class Nested(keras.Layer):
    """States in a structure, with another cell inside."""

    state_size = [4, [4, 4]]
    output_size = 4

    def __init__(self, **options):
        super().__init__(**options)
        self.gru, self.lstm = layers.GRUCell(4), layers.LSTMCell(4)

    def build(self, shape):
        self.gru.build(shape)
        self.lstm.build((None, 4))
        self.built = True

    def get_initial_state(self, batch_size=None):
        zeros = ops.zeros((batch_size, 4))
        return [zeros, [zeros, zeros]]

    def call(self, inputs, states, training=False):
        first, second = states
        y, first = self.gru(inputs, first, training=training)
        y, second = self.lstm(y, second, training=training)
        return y, [first, second]


class Plain:
    """A cell that is no layer."""

    state_size = 3
    compute_dtype = "float32"

    def __call__(self, inputs, states):
        return self.call(inputs, states)

    def call(self, inputs, states):
        output = ops.maximum(inputs, states[0] * 0.5)
        return output, [output]


CUSTOM = {
    "minimal": lambda: Minimal(4),
    "leaky": Leaky,
    "counter": Counter,
    "nested": Nested,
    "plain": Plain,
}
each_custom = pytest.mark.parametrize("name", CUSTOM)
each_flags = pytest.mark.parametrize("flags", FLAGS, ids=lambda f: "".join("01"[x] for x in f))


def loops(graph):
    return [op.operator for op in graph.ops if isinstance(op.operator, Scan | Recurrent)]


def masked_model(layer, length=5):
    x = keras.Input((length, 3), name="x")
    mask = keras.Input((length,), dtype="bool", name="mask")
    return keras.Model([x, mask], layer(x, mask=mask))


def masked_inputs():
    return [np.random.default_rng(3).normal(size=(4, 5, 3)).astype("float32"), MASKS]


# Keras's own cells


@pytest.mark.parametrize(
    ("cell", "operator"),
    [
        (lambda: layers.LSTMCell(4), Lstm),
        (lambda: layers.GRUCell(4), Gru),
        (lambda: layers.GRUCell(4, reset_after=False, use_bias=False), Gru),
        (lambda: layers.SimpleRNNCell(4, activation="relu"), SimpleRnn),
    ],
)
@each_flags
def test_cells_of_keras_are_its_layers(cell, operator, flags):
    sequences, state, backwards = flags
    layer = layers.RNN(
        cell(), return_sequences=sequences, return_state=state, go_backwards=backwards
    )
    (found,) = loops(assert_captured(layer_model(layer, (None, 3))))
    assert isinstance(found, operator)


@pytest.mark.parametrize("cell", [layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell])
def test_a_cell_called_by_itself(cell):
    cell = cell(4)
    x = keras.Input((3,), name="x")
    states = [keras.Input((4,), name=f"s{i}") for i in range(np.size(cell.state_size))]
    assert_captured(keras.Model([x, *states], cell(x, states)))


def test_a_cell_called_by_itself_resetting_before():
    cell = layers.GRUCell(4, reset_after=False)
    x, state = keras.Input((3,), name="x"), keras.Input((4,), name="s")
    assert_captured(keras.Model([x, state], cell(x, state)))


# Stacks

STACKS = {
    "same": lambda: [layers.LSTMCell(4), layers.LSTMCell(3)],
    "different": lambda: [layers.GRUCell(4), layers.LSTMCell(2), layers.SimpleRNNCell(3)],
    "single": lambda: [layers.LSTMCell(4)],
    "custom": lambda: [layers.LSTMCell(4), Minimal(3), layers.GRUCell(2)],
    "start": lambda: [layers.GRUCell(3), Leaky(), layers.GRUCell(2)],
}


def in_a_stack():
    return [layers.StackedRNNCells([layers.LSTMCell(4), layers.GRUCell(3)]), Minimal(2)]


@pytest.mark.parametrize("stack", STACKS)
@each_flags
def test_stacks(stack, flags):
    sequences, state, backwards = flags
    layer = layers.RNN(
        STACKS[stack](),
        return_sequences=sequences,
        return_state=state,
        go_backwards=backwards,
        name="tested",
    )
    graph = assert_captured(layer_model(layer, (None, 3)))
    assert all(op.name.startswith("tested") for op in graph.ops)


@pytest.mark.parametrize("sequences", [False, True])
def test_a_stack_in_a_stack(sequences):
    """Keras can neither return its states nor mask it."""
    layer = layers.RNN(in_a_stack(), return_sequences=sequences)
    assert_captured(layer_model(layer, (None, 3)))


@pytest.mark.parametrize("stack", sorted(STACKS.keys() - {"single"}))  # Keras fails on one alone
@each_flags
def test_stacks_with_masks(stack, flags):
    sequences, backwards, zeros = flags
    layer = layers.RNN(
        STACKS[stack](),
        return_sequences=sequences,
        return_state=True,
        go_backwards=backwards,
        zero_output_for_mask=zeros,
    )
    assert_captured(masked_model(layer), inputs=masked_inputs())


@pytest.mark.parametrize("masked", [False, True])
def test_initial_states_of_a_stack(masked):
    layer = layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], return_sequences=True)
    x, mask = keras.Input((5, 3), name="x"), keras.Input((5,), dtype="bool", name="mask")
    h, c, g = (keras.Input((n,), name=name) for n, name in ((4, "h"), (4, "c"), (3, "g")))
    given = {"mask": mask} if masked else {}
    y = layer(x, initial_state=[[h, c], [g]], **given)
    inputs = [x, h, c, g, mask] if masked else [x, h, c, g]
    arrays = [np.random.default_rng(n).normal(size=(4, n)).astype("float32") for n in (4, 4, 3)]
    values = [masked_inputs()[0], *arrays, MASKS] if masked else None
    assert_captured(keras.Model(inputs, y), inputs=values)


# Custom cells


@each_custom
@each_flags
@pytest.mark.parametrize("length", [None, 5], ids=["open", "fixed"])
def test_custom_cells(name, flags, length):
    sequences, state, backwards = flags
    layer = layers.RNN(
        CUSTOM[name](),
        return_sequences=sequences,
        return_state=state,
        go_backwards=backwards,
        name="tested",
    )
    graph = assert_captured(layer_model(layer, (length, 3)))
    (scan,) = loops(graph)
    assert isinstance(scan, Scan)
    assert all(name.startswith("tested") for name in (op.name for op in scan.cell.ops))


@each_custom
@each_flags
def test_custom_cells_with_masks(name, flags):
    sequences, backwards, zeros = flags
    layer = layers.RNN(
        CUSTOM[name](),
        return_sequences=sequences,
        return_state=True,
        go_backwards=backwards,
        zero_output_for_mask=zeros,
    )
    assert_captured(masked_model(layer, None), inputs=masked_inputs())


@pytest.mark.parametrize("backwards", [False, True])
def test_custom_cells_unrolled_with_masks(backwards):
    layer = layers.RNN(
        Minimal(4),
        unroll=True,
        return_sequences=True,
        go_backwards=backwards,
        zero_output_for_mask=True,
    )
    assert_captured(masked_model(layer), inputs=masked_inputs())


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_initial_states_of_a_custom_cell(masked, sequences):
    layer = layers.RNN(Minimal(4), return_sequences=sequences, return_state=True)
    x, mask = keras.Input((5, 3), name="x"), keras.Input((5,), dtype="bool", name="mask")
    state = keras.Input((4,), name="state")
    y = layer(x, initial_state=state, **({"mask": mask} if masked else {}))
    array = np.random.default_rng(0).normal(size=(4, 4)).astype("float32")
    values = [masked_inputs()[0], array, MASKS] if masked else None
    assert_captured(keras.Model([x, state, mask] if masked else [x, state], y), inputs=values)


def test_custom_cells_over_images():
    class Blur(keras.Layer):
        def __init__(self):
            super().__init__()
            self.conv = layers.Conv2D(2, 3, padding="same")
            self.state_size = 1

        def build(self, shape):
            self.conv.build(shape)
            self.built = True

        def get_initial_state(self, batch_size=None):
            return [ops.zeros((batch_size, 4, 4, 2))]

        def call(self, inputs, states):
            new = self.conv(inputs) + states[0]
            return ops.mean(new, axis=(1, 2)), [new]

    layer = layers.RNN(Blur(), return_state=True)
    layer.cell.output_size = 2
    x, mask = keras.Input((5, 4, 4, 3), name="x"), keras.Input((5,), dtype="bool", name="mask")
    images = np.random.default_rng(0).normal(size=(4, 5, 4, 4, 3)).astype("float32")
    assert_captured(keras.Model([x, mask], layer(x, mask=mask)[0]), inputs=[images, MASKS])


def test_integers_as_input_of_a_custom_cell():
    class Lookup(keras.Layer):
        state_size = 4

        def __init__(self):
            super().__init__()
            self.embedding = layers.Embedding(5, 4)

        def build(self, shape):
            self.embedding.build()
            self.built = True

        def call(self, inputs, states):
            new = ops.sum(self.embedding(inputs), axis=1) + states[0] * 0.5
            return new, [new]

    assert_captured(layer_model(layers.RNN(Lookup()), (5, 2), dtype="int32"))


class Untraceable(Minimal):
    def call(self, inputs, states):
        return (inputs, states) if inputs[0, 0] > 0 else (-inputs, states)


class Growing(Minimal):
    def call(self, inputs, states):
        return inputs, [ops.concatenate([states[0], states[0]], axis=-1)]


class Broken(Minimal):
    def get_initial_state(self, batch_size=None):
        raise RuntimeError("no start")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (Untraceable, "tested/unt: .*Untraceable has no handler and cannot be traced"),
        (Growing, "tested/cell: its states begin as .* and become"),
        (Broken, "tested: get_initial_state of Broken fails: no start"),
    ],
)
def test_cells_that_cannot_be_run(cell, message):
    model = layer_model(layers.RNN(cell(4, name="unt"), name="tested"), (5, 3))
    with pytest.raises(UnsupportedError, match=message):
        capture(model)


@pytest.mark.parametrize("cell", [Minimal, layers.GRUCell])
def test_a_state_of_another_size(cell):
    x, state = keras.Input((5, 3), name="x"), keras.Input((3,), name="state")
    model = keras.Model([x, state], layers.RNN(cell(4), name="tested")(x, initial_state=state))
    with pytest.raises(UnsupportedError, match=r"^tested"):
        capture(model)


def test_a_stateful_custom_cell_begins_as_it_says():
    layer = layers.RNN(Leaky(), stateful=True, name="kept")
    x = keras.Input((5, 3), batch_size=2, name="x")
    graph = capture(keras.Model(x, layer(x)))
    assert graph.metadata == {"layers": ("kept",), "stateful": ["kept"]}
    (scan,) = loops(graph)
    assert not scan.zero_state
