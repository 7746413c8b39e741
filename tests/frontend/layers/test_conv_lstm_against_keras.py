"""ConvLSTM1D and ConvLSTM2D with every option. Witness: Keras."""

from itertools import product

import keras
import numpy as np
import pytest
from support.captured import TOLERANCE, assert_captured, assert_outputs, layer_model, randomize

from edgenn.errors import UnsupportedError
from edgenn.frontend import capture
from edgenn.ir.ops import Conv2D, Scan

layers = keras.layers

CLASSES = {1: layers.ConvLSTM1D, 2: layers.ConvLSTM2D}
MASKS = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]], bool)
each_rank = pytest.mark.parametrize("rank", CLASSES)


def convolutions(graph):
    return sum(isinstance(op.operator, Conv2D) for op in graph.ops)


@each_rank
@pytest.mark.parametrize(
    "flags", list(product((False, True), repeat=3)), ids=lambda f: "".join("01"[x] for x in f)
)
@pytest.mark.parametrize("length", [None, 3], ids=["open", "fixed"])
def test_what_is_returned(rank, flags, length):
    sequences, state, backwards = flags
    layer = CLASSES[rank](
        2, 3, return_sequences=sequences, return_state=state, go_backwards=backwards
    )
    model = layer_model(layer, (length, *[6] * rank, 3))
    graph = assert_captured(model, size=3)
    (scan,) = (op.operator for op in graph.ops if isinstance(op.operator, Scan))
    assert (convolutions(graph), convolutions(scan.cell)) == ((1, 1) if length else (0, 2))


@each_rank
@pytest.mark.parametrize(
    "options",
    [
        {"padding": "same"},
        {"strides": 2, "padding": "same"},
        {"strides": 2},
        {"dilation_rate": 2},
        {"use_bias": False},
        {"activation": "relu", "recurrent_activation": "hard_sigmoid"},
        {"dropout": 0.5, "recurrent_dropout": 0.5},
        {"data_format": "channels_first"},
    ],
    ids=lambda options: "-".join(options),
)
@pytest.mark.parametrize("length", [None, 3], ids=["open", "fixed"])
def test_other_options(rank, options, length):
    shape = [6] * rank
    shape = (length, 3, *shape) if "data_format" in options else (length, *shape, 3)
    layer = CLASSES[rank](2, 3, return_sequences=True, return_state=True, **options)
    assert_captured(layer_model(layer, shape), size=3)


@each_rank
@pytest.mark.parametrize("flags", list(product((False, True), repeat=3)))
def test_masks(rank, flags):
    sequences, backwards, initial = flags
    layer = CLASSES[rank](
        2, 3, return_sequences=sequences, go_backwards=backwards, return_state=True, padding="same"
    )
    sizes = [5] * rank
    x = keras.Input((None, *sizes, 3), name="x")
    mask = keras.Input((None,), dtype="bool", name="mask")
    states = [keras.Input((*sizes, 2), name=name) for name in ("h", "c")] if initial else []
    y = layer(x, mask=mask, **({"initial_state": states} if initial else {}))
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, 3, *sizes, 3))]
    arrays += [rng.normal(size=(3, *sizes, 2)) for _ in states]
    inputs = [*(array.astype("float32") for array in arrays), MASKS]
    assert_captured(keras.Model([x, *states, mask], y), inputs=inputs)


@each_rank
def test_a_stateful_layer_begins_at_zero(rank):
    layer = CLASSES[rank](2, 3, stateful=True, name="kept")
    x = keras.Input((3, *[5] * rank, 3), batch_size=2, name="x")
    model = keras.Model(x, layer(x))
    randomize(model)
    graph = capture(model)
    layer.reset_state()
    samples = np.random.default_rng(1).normal(size=x.shape).astype("float32")
    assert_outputs(graph, [samples], [model(samples)], TOLERANCE)
    assert graph.metadata == {"layers": ("kept",), "stateful": ["kept"]}


def test_several_in_a_row_and_around_frames():
    x = keras.Input((4, 8, 8, 3), name="x")
    y = layers.ConvLSTM2D(4, 3, padding="same", return_sequences=True, activation="relu")(x)
    y = layers.BatchNormalization()(y)
    y = layers.ConvLSTM2D(2, 3, padding="same")(y)
    assert_captured(keras.Model(x, layers.Dense(3)(layers.Flatten()(y))))


def test_three_dimensions_are_refused():
    model = layer_model(layers.ConvLSTM3D(2, 3, name="tested"), (3, 5, 5, 5, 2))
    with pytest.raises(UnsupportedError, match=r"^tested.*ConvLSTM3D.*in 3 dimensions"):
        capture(model)
