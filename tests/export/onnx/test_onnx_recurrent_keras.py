"""Recurrent layers of Keras in ONNX files: Keras is the witness."""

import numpy as np
import onnx
import pytest
from support.captured import randomize
from support.onnx_files import kinds, session

from edgenn.compiler import calibrated, graph_of, quantized, written
from edgenn.frontend.keras_import import keras
from edgenn.quantization.schemes import Scheme

layers = keras.layers
FEATURES = 3
LENGTH = 7
LAYERS = {
    "lstm": layers.LSTM,
    "gru": layers.GRU,
    "gru_reset_before": lambda *a, **k: layers.GRU(*a, reset_after=False, **k),
    "rnn": layers.SimpleRNN,
}
NODES = ("LSTM", "GRU", "RNN")


def samples(shape, rng):
    """Random steps; some are zeros, which ``Masking`` takes out: all, in between, last, first."""
    sizes = [LENGTH if size is None else size for size in shape]
    x = rng.normal(size=(4, *sizes)).astype("float32")
    if len(shape) == 2 and shape[1] == FEATURES:
        x[0] = x[1, 2:5] = x[2, 4:] = x[3, 0] = 0
    return x


def compare(build, *shapes, scheme=Scheme.FLOAT32, tolerance=2e-6):
    """ONNX Runtime gives what Keras gives; returns the file's nodes.

    Args:
        build: From the inputs, of these shapes without the batch, to the outputs.
        tolerance: Of the output's range.
    """
    inputs = [keras.Input(shape, name=f"input_{i}") for i, shape in enumerate(shapes)]
    only = len(inputs) == 1
    model = keras.Model(inputs[0] if only else inputs, build(*inputs))
    randomize(model)
    rng = np.random.default_rng(0)
    data = [samples(shape, rng) for shape in shapes]
    expected = keras.tree.flatten(model(data[0] if only else data))
    content = written(quantized(graph_of(model), scheme), "onnx")
    onnx.checker.check_model(content, full_check=True)
    results = session(content).run(None, {t.name: x for t, x in zip(inputs, data, strict=True)})
    for theirs, ours in zip(expected, results, strict=True):
        theirs = np.asarray(theirs)
        limit = tolerance * max(1.0, float(np.abs(theirs).max()))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=limit)
    nodes = kinds(content)
    assert "Loop" not in nodes
    return nodes


def recurrent_nodes(nodes):
    return sum(nodes[kind] for kind in NODES)


@pytest.mark.parametrize("length", [LENGTH, None])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True},
        {"return_sequences": True, "return_state": True, "go_backwards": True},
        {"go_backwards": True, "use_bias": False},
    ],
    ids=["last", "sequence", "backwards", "no bias"],
)
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, options, length):
    nodes = compare(LAYERS[name](5, **options), (length, FEATURES))
    assert recurrent_nodes(nodes) == 1


@pytest.mark.parametrize("name", LAYERS)
def test_masks(name):
    """Masked steps in any place, and rows with none left."""
    for options in (
        {"return_sequences": True, "return_state": True},
        {"return_sequences": True, "go_backwards": True},
        {"return_sequences": True, "zero_output_for_mask": True},
    ):
        layer = LAYERS[name](5, **options)
        nodes = compare(lambda x, layer=layer: layer(layers.Masking()(x)), (None, FEATURES))
        assert recurrent_nodes(nodes) == 1


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_masks_with_initial_states(name, zeros):
    """Outputs before the first kept step are zeros, the states are the initial ones."""

    def build(x, h):
        layer = LAYERS[name](
            5, return_sequences=True, return_state=True, zero_output_for_mask=zeros
        )
        mask = keras.ops.any(keras.ops.not_equal(x, 0), axis=-1)
        states = [h, h] if name == "lstm" else [h]
        return layer(x, initial_state=states, mask=mask)

    assert recurrent_nodes(compare(build, (None, FEATURES), (5,))) == 1


@pytest.mark.parametrize("merge", ["concat", "sum", None])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_bidirectional(name, masked, merge):
    def build(x):
        x = layers.Masking()(x) if masked else x
        inner = LAYERS[name](5, return_sequences=True)
        return layers.Bidirectional(inner, merge_mode=merge)(x)

    assert recurrent_nodes(compare(build, (None, FEATURES))) == 1


def test_a_stack_of_both_directions():
    def build(x):
        x = layers.Bidirectional(layers.LSTM(5, return_sequences=True))(x)
        x = layers.Bidirectional(layers.GRU(4, return_sequences=True))(x)
        x = layers.TimeDistributed(layers.Dense(6, activation="relu"))(x)
        return layers.Bidirectional(layers.SimpleRNN(4))(x)

    nodes = compare(build, (None, FEATURES))
    assert [nodes[kind] for kind in NODES] == [1, 1, 1]
    assert nodes["Transpose"] == 1


@pytest.mark.parametrize("name", LAYERS)
def test_encoder_and_decoder(name):
    """The states of one layer are what the next begins with."""

    def build(x, y):
        _, *states = LAYERS[name](5, return_state=True)(x)
        return LAYERS[name](5, return_sequences=True)(y, initial_state=states)

    assert recurrent_nodes(compare(build, (None, FEATURES), (4, 2))) == 2


NATIVE = ["tanh", "relu", "linear", "hard_sigmoid", "elu", "leaky_relu", "softsign"]


@pytest.mark.parametrize("activation", [*NATIVE, "softplus", "selu", "gelu"])
@pytest.mark.parametrize("length", [LENGTH, None])
def test_activations(activation, length):
    """One node where ONNX has the function, otherwise copies or a Scan."""
    layer = layers.LSTM(5, activation=activation, recurrent_activation="hard_sigmoid")
    nodes = compare(layer, (length, FEATURES), tolerance=1e-5)
    assert recurrent_nodes(nodes) == (activation in NATIVE)
    assert nodes["Scan"] == (length is None and activation not in NATIVE)


@pytest.mark.parametrize("length", [4, None])
def test_recurrent_convolutions(length):
    layer = layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True)
    nodes = compare(layer, (length, 5, 5, 2), tolerance=1e-5)
    assert nodes["Scan"] == (length is None)


def test_images_over_time():
    def build(x):
        x = layers.TimeDistributed(layers.Conv2D(4, 3, activation="relu"))(x)
        x = layers.TimeDistributed(layers.GlobalAveragePooling2D())(x)
        return layers.Dense(3)(layers.GRU(8)(x))

    assert recurrent_nodes(compare(build, (5, 8, 8, 3), tolerance=1e-5)) == 1


@pytest.mark.parametrize("scheme", [Scheme.FLOAT16, Scheme.DYNAMIC])
@pytest.mark.parametrize("name", LAYERS)
def test_small_weights(name, scheme):
    """Weights alone are rounded: the outputs move by little."""

    def build(x):
        x = layers.Bidirectional(LAYERS[name](16, return_sequences=True))(x)
        return layers.Dense(4)(LAYERS[name](16)(x))

    tolerance = {Scheme.FLOAT16: 2e-3, Scheme.DYNAMIC: 5e-2}[scheme]
    assert recurrent_nodes(compare(build, (None, 24), scheme=scheme, tolerance=tolerance)) == 2


@pytest.mark.parametrize("scheme", [Scheme.INT8, Scheme.INT16X8])
@pytest.mark.parametrize("both", [False, True], ids=["one direction", "both"])
def test_full_integer_schemes(scheme, both):
    """Weights are bytes, activations lie on their grids, the node between computes in float."""
    first = layers.GRU(16, return_sequences=True)
    inputs = keras.Input((12, 24), name="x")
    x = layers.Bidirectional(first)(inputs) if both else first(inputs)
    model = keras.Model(inputs, layers.Dense(4, name="y")(layers.LSTM(16)(x)))
    randomize(model)
    x = np.random.default_rng(0).normal(size=(32, 12, 24)).astype("float32")
    expected = np.asarray(model(x))
    graph = graph_of(model)
    seen = calibrated(graph, {"x": x}, [scheme])[scheme]
    content = written(quantized(graph, scheme, seen), "onnx")
    onnx.checker.check_model(content, full_check=True)
    (result,) = session(content).run(None, {"x": x})
    assert np.abs(result - expected).max() < 0.03 * np.ptp(expected)
    nodes = kinds(content)
    assert nodes["GRU"] == nodes["LSTM"] == 1
    stored = {t.name: t.data_type for t in onnx.load_from_string(content).graph.initializer}
    kernels = [dtype for name, dtype in stored.items() if name.rpartition("/")[2] in ("W", "R")]
    assert kernels == [onnx.TensorProto.INT8] * 4
