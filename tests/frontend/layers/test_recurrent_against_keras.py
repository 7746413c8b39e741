"""LSTM, GRU and SimpleRNN with every option. Witness: Keras."""

from itertools import product

import keras
import numpy as np
import pytest
from support.captured import TOLERANCE, assert_captured, assert_outputs, layer_model, randomize

from edgenn.errors import UnsupportedError
from edgenn.frontend import capture
from edgenn.frontend.loading.legacy_activations import keras2_hard_sigmoid
from edgenn.ir.ops import Gru, Lstm, Recurrent, Reverse, SimpleRnn

layers = keras.layers

KINDS = {
    "lstm": layers.LSTM,
    "gru": layers.GRU,
    "gru_reset_before": lambda *args, **options: layers.GRU(*args, reset_after=False, **options),
    "simple_rnn": layers.SimpleRNN,
}
OPERATORS = {"lstm": Lstm, "gru": Gru, "gru_reset_before": Gru, "simple_rnn": SimpleRnn}
each_kind = pytest.mark.parametrize("kind", KINDS)


def recurrent_ops(graph):
    return [op for op in graph.ops if isinstance(op.operator, Recurrent)]


def states_of(layer, units=4):
    return 2 if isinstance(layer, layers.LSTM) else 1


@each_kind
@pytest.mark.parametrize(
    "flags",
    list(product((False, True), repeat=3)),
    ids=lambda flags: "".join("01"[f] for f in flags),
)
@pytest.mark.parametrize("length", [None, 5], ids=["open", "fixed"])
def test_what_is_returned(kind, flags, length):
    sequences, state, backwards = flags
    layer = KINDS[kind](
        4,
        return_sequences=sequences,
        return_state=state,
        go_backwards=backwards,
        name="tested",
    )
    graph = assert_captured(layer_model(layer, (length, 3)))
    (op,) = recurrent_ops(graph)
    assert isinstance(op.operator, OPERATORS[kind])
    assert op.operator.reverse == backwards
    assert any(isinstance(o.operator, Reverse) for o in graph.ops) == (sequences and backwards)
    assert next(iter(graph.outputs.values())).startswith("tested")


@each_kind
@pytest.mark.parametrize(
    "options",
    [
        {"use_bias": False},
        {"unroll": True, "return_sequences": True},
        {"unroll": True, "return_sequences": True, "go_backwards": True},
        {"dropout": 0.5, "recurrent_dropout": 0.5},
    ],
    ids=lambda options: "-".join(options),
)
def test_other_options(kind, options):
    assert_captured(layer_model(KINDS[kind](4, **options), (5, 3)))


@pytest.mark.parametrize("class_", [layers.LSTM, layers.GRU])
def test_implementation_is_a_detail(class_):
    assert_captured(layer_model(class_(4, implementation=1), (5, 3)))


@each_kind
def test_fixed_batch(kind):
    model = layer_model(KINDS[kind](4, return_sequences=True), (None, 3))
    graph = assert_captured(model, batch=3)
    assert next(graph.output_tensors()).shape == (3, None, 4)


def test_integers_as_sequence():
    assert_captured(layer_model(layers.GRU(4), (5, 3), dtype="int32"))


def test_one_layer_called_twice():
    layer = layers.LSTM(4)
    a, b = keras.Input((5, 3), name="a"), keras.Input((6, 3), name="b")
    graph = assert_captured(keras.Model([a, b], [layer(a), layer(b)]))
    first, second = recurrent_ops(graph)
    assert first.inputs[1:4] == second.inputs[1:4]


# Initial states


def with_states(layer, call, *, length=5):
    """A model whose states are inputs; ``call`` hands them to the layer."""
    x = keras.Input((length, 3), name="x")
    states = [keras.Input((4,), name=f"s{i}") for i in range(states_of(layer))]
    return keras.Model([x, *states], call(layer, x, states))


@each_kind
@pytest.mark.parametrize(
    "call",
    [
        lambda layer, x, states: layer(x, initial_state=states),
        lambda layer, x, states: layer(x, states),
        lambda layer, x, states: layer(sequences=x, initial_state=states),
        lambda layer, x, states: layer(x, initial_state=tuple(states)),
    ],
    ids=["keyword", "positional", "all_keywords", "tuple"],
)
def test_initial_state(kind, call):
    layer = KINDS[kind](4, return_sequences=True, return_state=True)
    graph = assert_captured(with_states(layer, call))
    assert recurrent_ops(graph)[0].operator.initial


@pytest.mark.parametrize("kind", ["gru", "simple_rnn"])
def test_initial_state_as_a_single_tensor(kind):
    layer = KINDS[kind](4, go_backwards=True)
    assert_captured(with_states(layer, lambda layer, x, states: layer(x, initial_state=states[0])))


def test_encoder_and_decoder():
    source, target = keras.Input((None, 3), name="a"), keras.Input((None, 2), name="b")
    _, *states = layers.LSTM(4, return_state=True)(source)
    y = layers.LSTM(4, return_sequences=True)(target, initial_state=states)
    assert_captured(keras.Model([source, target], layers.Dense(3)(y)))


@pytest.mark.parametrize("batch", [None, 2])
def test_constant_initial_state(batch):
    x = keras.Input((5, 3), batch_size=batch, name="x")
    rows = batch or 1
    states = [np.random.default_rng(i).normal(size=(rows, 4)).astype("float32") for i in (0, 1)]
    model = keras.Model(x, layers.LSTM(4, return_state=True)(x, initial_state=states))
    assert_captured(model)


def test_constant_initial_state_of_another_batch():
    x = keras.Input((5, 3), name="x")
    model = keras.Model(x, layers.GRU(4)(x, initial_state=np.zeros((2, 4)) + 1))
    with pytest.raises(UnsupportedError, match=r"gru.*: a constant is for 2 samples"):
        capture(model)
    capture(model, batch=2)


def test_zeros_as_initial_state_are_none_at_all():
    x = keras.Input((5, 3), name="x")
    model = keras.Model(x, layers.GRU(4)(x, initial_state=np.zeros((2, 4))))
    assert not recurrent_ops(assert_captured(model))[0].operator.initial


# Masks

MASKS = np.array(
    [
        [1, 1, 1, 1, 1],
        [1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1],
        [0, 1, 0, 1, 0],
        [0, 0, 0, 0, 0],
    ],
    bool,
)


def masked_inputs(model, dtype="bool", masks=MASKS):
    rng = np.random.default_rng(2)
    count = len(model.inputs) - 1
    x, *states = model.inputs[:count]
    arrays = [rng.normal(size=(5, 5, x.shape[-1])), *(rng.normal(size=(5, 4)) for _ in states)]
    return [*(array.astype("float32") for array in arrays), masks.astype(dtype)]


def masked_model(layer, *, initial=False, length=5, dtype="bool"):
    x = keras.Input((length, 3), name="x")
    states = [keras.Input((4,), name=f"s{i}") for i in range(states_of(layer) if initial else 0)]
    mask = keras.Input((length,), dtype=dtype, name="mask")
    given = {"initial_state": states} if initial else {}
    return keras.Model([x, *states, mask], layer(x, mask=mask, **given))


@each_kind
@pytest.mark.parametrize(
    "flags",
    list(product((False, True), repeat=3)),
    ids=lambda flags: "".join("01"[f] for f in flags),
)
@pytest.mark.parametrize("initial", [False, True], ids=["zero", "initial"])
def test_masks(kind, flags, initial):
    sequences, backwards, zeros = flags
    layer = KINDS[kind](
        4,
        return_sequences=sequences,
        return_state=True,
        go_backwards=backwards,
        zero_output_for_mask=zeros,
    )
    model = masked_model(layer, initial=initial)
    graph = assert_captured(model, inputs=masked_inputs(model))
    assert recurrent_ops(graph)[0].operator.masked


@pytest.mark.parametrize("flags", list(product((False, True), repeat=3)))
def test_masks_of_an_unrolled_layer(flags):
    sequences, backwards, zeros = flags
    layer = layers.LSTM(
        4,
        unroll=True,
        return_sequences=sequences,
        go_backwards=backwards,
        zero_output_for_mask=zeros,
    )
    model = masked_model(layer)
    assert_captured(model, inputs=masked_inputs(model))


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_masks_of_other_types(dtype):
    model = masked_model(layers.GRU(4, return_sequences=True), dtype=dtype, length=None)
    assert_captured(model, inputs=masked_inputs(model, dtype))


@pytest.mark.parametrize("batch", [None, 2])
def test_a_constant_mask(batch):
    x = keras.Input((5, 3), batch_size=batch, name="x")
    mask = MASKS[3:4].repeat(batch or 1, axis=0)
    model = keras.Model(x, layers.GRU(4, return_sequences=True)(x, mask=mask))
    assert_captured(model)


# Activations

NAMED = {
    "linear": ("linear", ()),
    "relu": ("relu", ()),
    "tanh": ("tanh", ()),
    "sigmoid": ("sigmoid", ()),
    "hard_sigmoid": ("hard_sigmoid", (1 / 6, 0.5)),
    "softsign": ("softsign", ()),
    "softplus": ("softplus", ()),
    "elu": ("elu", (1.0,)),
    "leaky_relu": ("leaky_relu", (0.2,)),
    "selu": ("custom", ()),
    "gelu": ("custom", ()),
    "softmax": ("custom", ()),
    None: ("linear", ()),
}
FUNCTIONS = {
    "keras2_hard_sigmoid": (lambda: keras2_hard_sigmoid, ("hard_sigmoid", (0.2, 0.5))),
    "own": (lambda: lambda x: keras.ops.sin(x) * 0.5, ("custom", ())),
    "relu_layer": (layers.ReLU, ("relu", ())),
    "relu6_layer": (lambda: layers.ReLU(6.0), ("custom", ())),
    "relu_slope": (lambda: layers.ReLU(negative_slope=0.25), ("leaky_relu", (0.25,))),
    "leaky_relu_layer": (layers.LeakyReLU, ("leaky_relu", (0.3,))),
    "elu_layer": (lambda: layers.ELU(0.5), ("elu", (0.5,))),
    "activation_layer": (lambda: layers.Activation("tanh"), ("tanh", ())),
    "prelu_layer": (lambda: layers.PReLU("ones"), ("custom", ())),
}


@pytest.mark.parametrize("kind", ["lstm", "gru", "simple_rnn"])
@pytest.mark.parametrize("name", [*NAMED, *FUNCTIONS])
def test_activations(kind, name):
    make, expected = FUNCTIONS.get(name, (lambda: name, NAMED.get(name)))
    options = {"activation": make()}
    if kind != "simple_rnn":
        options["recurrent_activation"] = make()
    graph = assert_captured(layer_model(KINDS[kind](4, **options), (4, 3)))
    operator = recurrent_ops(graph)[0].operator
    for activation in [getattr(operator, option) for option in options]:
        assert (activation.name, activation.parameters) == expected


def test_an_activation_that_cannot_be_traced():
    layer = layers.LSTM(4, activation=lambda x: x if x > 0 else -x, name="tested")
    with pytest.raises(UnsupportedError, match=r"^tested: function '<lambda>' .* cannot be traced"):
        capture(layer_model(layer, (4, 3)))


def test_an_activation_of_another_shape():
    layer = layers.GRU(4, activation="glu", name="tested")
    with pytest.raises(UnsupportedError, match=r"^tested: its activation makes"):
        capture(layer_model(layer, (4, 3)))


# State kept from call to call


@each_kind
def test_a_stateful_layer_begins_at_zero(kind):
    layer = KINDS[kind](4, stateful=True, return_sequences=True, name="kept")
    x = keras.Input((5, 3), batch_size=2, name="x")
    model = keras.Model(x, layer(x))
    randomize(model)
    graph = capture(model)
    layer.reset_state()
    samples = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
    assert_outputs(graph, [samples], [model(samples)], TOLERANCE)
    assert graph.metadata == {"layers": ("kept",), "stateful": ["kept"]}
    assert not recurrent_ops(graph)[0].operator.initial


@each_kind
def test_a_stateful_layer_whose_states_are_given_keeps_none(kind):
    layer = KINDS[kind](4, stateful=True, name="kept")
    x = keras.Input((5, 3), batch_size=2, name="x")
    states = [keras.Input((4,), batch_size=2, name=f"s{i}") for i in range(states_of(layer))]
    model = keras.Model([x, *states], layer(x, initial_state=states))
    assert assert_captured(model, batch=2).metadata == {"layers": ("kept",)}


def test_a_model_without_state_says_so():
    assert capture(layer_model(layers.LSTM(4, name="plain"), (5, 3))).metadata == {
        "layers": ("plain",)
    }
