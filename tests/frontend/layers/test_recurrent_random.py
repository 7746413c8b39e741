"""Random recurrent layers, alone and one above the other. Witness: Keras."""

import keras
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.captured import assert_captured

layers = keras.layers

ACTIVATIONS = ["tanh", "sigmoid", "relu", "linear", "hard_sigmoid", "softsign", "elu", "swish"]
CELLS = {"lstm": layers.LSTMCell, "gru": layers.GRUCell, "simple_rnn": layers.SimpleRNNCell}
NAMED = {"lstm": layers.LSTM, "gru": layers.GRU, "simple_rnn": layers.SimpleRNN}


@st.composite
def cell_options(draw, kind):
    options = {
        "units": draw(st.integers(1, 5)),
        "activation": draw(st.sampled_from(ACTIVATIONS)),
        "use_bias": draw(st.booleans()),
    }
    if kind != "simple_rnn":
        options["recurrent_activation"] = draw(st.sampled_from(ACTIVATIONS))
    if kind == "gru":
        options["reset_after"] = draw(st.booleans())
    return options


@st.composite
def recurrent_layers(draw, sequences):
    """A layer, a stack, or both directions of one."""
    options = {
        "return_sequences": sequences,
        "go_backwards": draw(st.booleans()),
        "zero_output_for_mask": draw(st.booleans()),
    }
    kinds = draw(st.lists(st.sampled_from(sorted(NAMED)), min_size=1, max_size=3))
    if len(kinds) == 1:
        layer = NAMED[kinds[0]](**draw(cell_options(kinds[0])), **options)
    else:
        layer = layers.RNN([CELLS[kind](**draw(cell_options(kind))) for kind in kinds], **options)
    if not draw(st.booleans()):
        return layer
    layer.go_backwards = False
    return layers.Bidirectional(layer, merge_mode=draw(st.sampled_from(["concat", "sum", "mul"])))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_layers(data):
    batch, length, features = (data.draw(st.integers(1, n)) for n in (3, 6, 4))
    fixed = data.draw(st.booleans())
    first = data.draw(recurrent_layers(True))
    second = data.draw(recurrent_layers(data.draw(st.booleans())))
    x = keras.Input((length if fixed else None, features), name="x")
    inputs, options = [x], {}
    samples = [np.random.default_rng(0).normal(size=(batch, length, features)).astype("float32")]
    if data.draw(st.booleans()):
        inputs.append(keras.Input(x.shape[1:2], dtype="bool", name="mask"))
        bits = st.lists(st.booleans(), min_size=batch * length, max_size=batch * length)
        samples.append(np.array(data.draw(bits)).reshape(batch, length))
        options["mask"] = inputs[1]
    y = second(first(x, **options), **options)
    model = keras.Model(inputs if len(inputs) > 1 else x, y)
    assert_captured(model, inputs=samples, tolerance=2e-5)
