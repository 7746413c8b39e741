"""One step after the other gives what the graph gives for the whole sequence, in NumPy."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers
from support.recurrent import recurrent_graph, recurrent_inputs
from support.stepping import streamed, whole

from edgenn.compiler import graph_of
from edgenn.errors import UnsupportedError
from edgenn.ir.ops import Gru, Lstm, Recurrent, Scan, SimpleRnn
from edgenn.ir.stepping import step_of
from edgenn.lowering.recurrent.step import to_step
from edgenn.lowering.recurrent.time.extents import Extent, Regrouping, Source
from edgenn.runtime import State, StepInfo

STEPS = 5
OPERATORS = [Lstm(units=4), Gru(units=4), Gru(units=4, reset_after=False), SimpleRnn(units=4)]


def random_inputs(graph, batch=3, seed=0):
    rng = np.random.default_rng(seed)
    result = {}
    for public, name in graph.inputs.items():
        tensor = graph.tensors[name]
        sizes = (batch, *[STEPS] * (tensor.rank - 1))
        shape = [size or sizes[axis] for axis, size in enumerate(tensor.shape)]
        if "int" in tensor.dtype:
            result[public] = rng.integers(0, 4, shape).astype(tensor.dtype)
        else:
            result[public] = rng.normal(size=shape).astype(tensor.dtype)
    return result


def assert_streams(graph, inputs=None):
    """The step graph, which has been compared with the whole one."""
    step = to_step(graph)
    inputs = random_inputs(graph) if inputs is None else inputs
    ours, theirs = streamed(step, inputs), whole(graph, inputs)
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        assert ours[name].shape == expected.shape
        np.testing.assert_allclose(ours[name], expected, rtol=0, atol=1e-6)
    assert not any(isinstance(op.operator, Scan | Recurrent) for op in step.ops)
    for state in step_of(step).states:
        before = step.tensors[step.inputs[state.input]]
        after = step.tensors[step.outputs[state.output]]
        assert (before.shape, before.dtype) == (after.shape, after.dtype)
        assert before.quantization == after.quantization
    return step


def states_of(step):
    return [(state.input, state.output) for state in step_of(step).states]


# --- operators


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda op: op.kind)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("initial", [False, True])
@pytest.mark.parametrize("steps", [None, 6])
def test_each_operator(operator, masked, initial, steps):
    operator = replace(operator, masked=masked, initial=initial)
    graph = recurrent_graph(operator, steps=steps)
    step = assert_streams(graph, recurrent_inputs(graph))
    names = operator.state_names
    if initial:
        assert states_of(step) == [(f"{name}0", f"{name}0_next") for name in names]
        assert all(state.initial is None for state in step_of(step).states)
    else:
        assert states_of(step) == [(f"rnn/{name}", f"rnn/{name}_next") for name in names]
        assert all(state.initial == (0.0,) for state in step_of(step).states)


def test_a_layer_keeps_its_name_and_the_graph_says_where_time_is():
    step = to_step(recurrent_graph(Lstm(units=4), outputs=("sequence",)))
    info = step_of(step)
    assert info.inputs == {"x": 1}
    assert info.outputs == {"sequence": 1}
    assert step.outputs["sequence"] == "rnn/sequence"
    assert [step.tensors[name].shape for name in step.inputs.values()] == [
        (None, 1, 3),
        (None, 4),
        (None, 4),
    ]


def test_a_run_backwards_is_refused():
    graph = recurrent_graph(Lstm(units=4, reverse=True))
    with pytest.raises(UnsupportedError, match=r"rnn \(recurrent\) runs from the last step .*loop"):
        to_step(graph)


def test_a_run_backwards_over_one_step_is_none():
    assert_streams(recurrent_graph(Lstm(units=4, reverse=True), steps=1))


# --- models

X = keras.Input((None, 6), name="x")
FIXED = keras.Input((STEPS, 6), name="x")
IDS = keras.Input((None,), dtype="int32", name="ids")
FRAMES = keras.Input((STEPS, 6, 6, 2), name="frames")
STATIC = keras.Input((3,), name="static")
H0 = keras.Input((4,), name="h0")


class Cell(keras.Layer):
    """Two states, one of which nobody changes."""

    state_size = (4, 4)
    output_size = 4

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 4), name="kernel")

    def call(self, x, states):
        h, kept = states
        h = keras.ops.tanh(x @ self.kernel + 0.5 * h + kept)
        return h, [h, kept]


class FromOnes(Cell):
    def get_initial_state(self, batch_size=None):
        return [keras.ops.ones((batch_size, 4)), 0.25 * keras.ops.ones((batch_size, 4))]


class AddConstant(keras.Layer):
    def __init__(self, constant, **rest):
        super().__init__(**rest)
        self.constant = constant

    def call(self, x):
        return x + self.constant


def sequence(x, units=4, **rest):
    return layers.LSTM(units, return_sequences=True, **rest)(x)


def cnn(x):
    for layer in (layers.Conv2D(3, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()):
        x = layers.TimeDistributed(layer)(x)
    return layers.GRU(4)(x)


def twice(x):
    shared = layers.GRU(6, return_sequences=True, name="shared")
    return shared(shared(x))


MODELS = {
    "the last step": (X, lambda: layers.LSTM(4)(X)),
    "stacked": (X, lambda: layers.Dense(2)(layers.GRU(3)(layers.Dense(5)(sequence(X))))),
    "final states": (X, lambda: layers.LSTM(4, return_sequences=True, return_state=True)(X)),
    "time distributed": (FIXED, lambda: layers.TimeDistributed(layers.Dense(3))(sequence(FIXED))),
    "convolutions of frames": (FRAMES, lambda: cnn(FRAMES)),
    "ConvLSTM": (FRAMES, lambda: layers.ConvLSTM2D(3, 3, return_sequences=True)(FRAMES)),
    "token ids": (IDS, lambda: sequence(layers.Embedding(5, 3)(IDS))),
    "masked token ids": (IDS, lambda: sequence(layers.Embedding(5, 3, mask_zero=True)(IDS))),
    "masked, last step": (IDS, lambda: layers.GRU(4)(layers.Embedding(5, 3, mask_zero=True)(IDS))),
    "masking": (X, lambda: sequence(layers.Masking()(X))),
    "normalisation": (X, lambda: sequence(layers.LayerNormalization()(X))),
    "convolution of width 1": (FIXED, lambda: sequence(layers.Conv1D(4, 1)(FIXED))),
    "the last step by index": (X, lambda: sequence(X)[:, -1]),
    "the last of five": (FIXED, lambda: layers.Dense(2)(sequence(FIXED)[:, 4])),
    "repeated static input": (
        [FIXED, STATIC],
        lambda: sequence(layers.Concatenate()([FIXED, layers.RepeatVector(STEPS)(STATIC)])),
    ),
    "constant of equal steps": (
        FIXED,
        lambda: sequence(AddConstant(np.full((STEPS, 6), 0.5, np.float32))(FIXED)),
    ),
    "custom cell": (X, lambda: layers.RNN(Cell(), return_sequences=True)(X)),
    "cell that begins with ones": (X, lambda: layers.RNN(FromOnes(), return_sequences=True)(X)),
    "stacked cells": (X, lambda: layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)])(X)),
    "residual": (X, lambda: layers.Add()([X, sequence(X, 6)])),
    "a layer called twice": (X, lambda: twice(X)),
    "time last": (
        keras.Input((2, STEPS), name="t"),
        lambda x: sequence(layers.Permute((2, 1))(x)),
    ),
    "initial state and mask": (
        [IDS, H0],
        lambda: layers.GRU(4, return_sequences=True)(
            layers.Embedding(5, 3, mask_zero=True)(IDS), initial_state=H0
        ),
    ),
}


def captured(inputs, build):
    keras.utils.set_random_seed(3)
    arguments = [inputs] if build.__code__.co_argcount else []
    return graph_of(keras.Model(inputs, build(*arguments)))


@pytest.mark.parametrize("name", MODELS)
def test_models(name):
    assert_streams(captured(*MODELS[name]))


def test_a_loop_within_each_step_stays():
    words = keras.Input((STEPS, 3, 2), name="words")
    each = layers.TimeDistributed(layers.LSTM(3, name="letters"))(words)
    graph = graph_of(keras.Model(words, layers.LSTM(4, name="sentence")(each)))
    step, inputs = to_step(graph), random_inputs(graph)
    (ours,), (theirs,) = streamed(step, inputs).values(), whole(graph, inputs).values()
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert [state for state, _ in states_of(step)] == ["sentence/h", "sentence/c"]


def test_states_are_called_like_their_layers():
    outputs = layers.LSTM(4, name="upper")(sequence(X, name="lower"))
    step = to_step(graph_of(keras.Model(X, outputs)))
    assert states_of(step) == [
        ("lower/h", "lower/h_next"),
        ("lower/c", "lower/c_next"),
        ("upper/h", "upper/h_next"),
        ("upper/c", "upper/c_next"),
    ]
    assert list(step.inputs) == ["x", *(state for state, _ in states_of(step))]
    assert list(step.outputs) == ["upper", *(state for _, state in states_of(step))]


def test_names_that_are_taken_get_a_number():
    graph = recurrent_graph(Lstm(units=4), outputs=("sequence", "h"))
    graph = graph.with_(
        inputs={"rnn/h": graph.inputs["x"]},
        outputs={"sequence": graph.outputs["sequence"], "rnn/c_next": graph.outputs["h"]},
    )
    step = to_step(graph)
    assert states_of(step) == [("rnn/h_1", "rnn/h_1_next"), ("rnn/c", "rnn/c_next_1")]


def test_two_sequences_side_by_side():
    other = keras.Input((None, 2), name="other")
    merged = layers.Concatenate()([layers.LSTM(3)(X), layers.GRU(3)(other)])
    step = assert_streams(graph_of(keras.Model([X, other], merged)))
    assert step_of(step).inputs == {"x": 1, "other": 1}


def test_a_given_state_of_zero_has_a_place_in_the_inputs():
    outputs = layers.GRU(4, return_state=True, name="gru")(X, initial_state=H0)
    step = assert_streams(graph_of(keras.Model([H0, X], outputs)))
    assert list(step.inputs) == ["h0", "x"]
    assert step_of(step).states == (State("h0", "h0_next", None),)


REFUSED = {
    "runs backwards": (
        X,
        lambda: layers.Bidirectional(layers.LSTM(3), name="both")(X),
        "both/backward_lstm",
    ),
    "a window over steps": (
        FIXED,
        lambda: layers.Conv1D(3, 3, name="conv")(sequence(FIXED)),
        r"conv.*window",
    ),
    "steps made by a window": (X, lambda: sequence(layers.Conv1D(3, 3, name="conv")(X)), "conv"),
    "average over time": (
        X,
        lambda: layers.GlobalAveragePooling1D(name="pool")(sequence(X)),
        r"pool \(mean\)",
    ),
    "maximum over time": (
        FIXED,
        lambda: layers.GlobalMaxPooling1D(name="pool")(sequence(FIXED)),
        "pool",
    ),
    "pooling": (FIXED, lambda: layers.MaxPooling1D(2, name="pool")(sequence(FIXED)), "pool"),
    "softmax over time": (X, lambda: layers.Softmax(axis=1, name="soft")(sequence(X)), "soft"),
    "flattened time": (
        FIXED,
        lambda: layers.Dense(2, name="head")(layers.Flatten()(sequence(FIXED))),
        "head",
    ),
    "attention": (X, lambda: layers.Attention(name="look")([sequence(X)] * 2), "look"),
    "padding": (FIXED, lambda: layers.ZeroPadding1D(1, name="pad")(sequence(FIXED)), "pad"),
    "first step": (FIXED, lambda: layers.Dense(2)(sequence(FIXED)[:, 0]), "some of the steps"),
    "steps made inside": (
        X,
        lambda: sequence(layers.RepeatVector(4, name="again")(layers.LSTM(3)(X)), name="decoder"),
        "decoder.*again",
    ),
    "the end at each step": (
        FIXED,
        lambda: layers.Add()(
            [sequence(FIXED, 6), layers.RepeatVector(STEPS)(layers.LSTM(6, name="all")(FIXED))]
        ),
        "all gives after the last",
    ),
    "a state from the end of another sequence": (
        [X, keras.Input((None, 2), name="other")],
        lambda inputs: sequence_after(*inputs),
        "decoder.*encoder",
    ),
    "constants of each step": (
        FIXED,
        lambda: sequence(
            AddConstant(np.arange(STEPS * 6).reshape(STEPS, 6).astype("float32"), name="place")(
                FIXED
            )
        ),
        r"place \(add\)",
    ),
    "steps inside another axis": (
        keras.Input((24,), name="flat"),
        lambda x: layers.LSTM(3, name="rnn")(layers.Reshape((4, 6))(x)),
        "rnn.*not those of an input",
    ),
    "different lengths": (
        [FIXED, keras.Input((3, 2), name="other")],
        lambda inputs: layers.Concatenate()([layers.LSTM(2)(x) for x in inputs]),
        r"\[3, 5\]",
    ),
    "a computed initial state": (
        [X, STATIC],
        lambda: layers.GRU(4, name="rnn")(X, initial_state=layers.Dense(4)(STATIC)),
        "rnn: its initial state is computed",
    ),
}


def sequence_after(first, second):
    _, h, c = layers.LSTM(4, return_state=True, name="encoder")(first)
    return layers.LSTM(4, name="decoder")(second, initial_state=[h, c])


@pytest.mark.parametrize("name", REFUSED)
def test_what_mixes_steps_is_refused_by_name(name):
    inputs, build, pattern = REFUSED[name]
    with pytest.raises(UnsupportedError, match=pattern) as caught:
        to_step(captured(inputs, build))
    assert "--rnn loop" in caught.value.hint


def test_a_graph_for_one_step_at_a_time_mixes_nothing():
    x = keras.Input(batch_shape=(2, 1, 6), name="x")
    model = keras.Model(x, layers.GlobalAveragePooling1D()(sequence(layers.Conv1D(3, 1)(x))))
    assert_streams(graph_of(model))


def test_a_single_step_laid_beside_other_sizes_is_left_as_it_is():
    x = keras.Input(batch_shape=(1, 1, 4), name="x")
    turned = layers.Permute((2, 1))(sequence(x, 3, name="first"))
    graph = graph_of(keras.Model(x, sequence(turned[:, -1:], name="second")))
    assert_streams(graph)


# --- descriptions


def test_the_description_of_steps_survives_json():
    info = StepInfo((State("h", "h_next", (0.5, 1e-7)), State("c", "c2", None)), {"x": 1}, {})
    assert StepInfo.from_json(info.to_json()) == info
    json.loads(info.to_json())


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"states": [{}], "inputs": {}, "outputs": {}}', "null"]
)
def test_another_description_is_none(text):
    with pytest.raises(ValueError, match="no description of a step"):
        StepInfo.from_json(text)


# --- reshapes


def extents(*sizes):
    return [Extent(size, Source.INPUT, f"e{i}") for i, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("before", "after", "groups"),
    [
        ((None, 5, 8), (None, 8), [[0, 1], [2]]),
        ((None, 5, 8), (None, 40), [[0], [1, 2]]),
        ((2, 5, 8), (10, 8), [[0, 1], [2]]),
        ((None, 5, 8), (None, 5, 1, 8), [[0], [1], [], [2]]),
        ((2, None, 8), (2, None, 8), [[0], [1], [2]]),
        ((2, 1, 8), (2, 8), [[0], [1, 2]]),
        ((3, 1, 4), (3, 1, 4), [[0], [1], [2]]),
    ],
)
def test_a_reshape_keeps_extents_in_order(before, after, groups):
    given = extents(*before)
    regrouping = Regrouping(given, "reshape")
    layout = regrouping.into(after)
    assert [[given.index(extent) for extent in axis] for axis in layout] == groups
    assert not regrouping.scattered


@pytest.mark.parametrize(("before", "after"), [((6, 4), (4, 6)), ((8,), (2, 4)), ((None, 3), (3,))])
def test_a_reshape_that_cuts_an_extent_scatters_it(before, after):
    given = extents(*before)
    regrouping = Regrouping(given, "reshape")
    layout = regrouping.into(after)
    assert len(layout) == len(after)
    assert given[0] in regrouping.scattered
