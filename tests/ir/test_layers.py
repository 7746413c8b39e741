"""Which ops a Keras layer became, whatever was fused."""

import keras
import pytest

from edgenn.compiler import graph_of
from edgenn.errors import UsageError
from edgenn.ir.layers import chosen_layers, layer_paths, ops_of_layer
from edgenn.lowering.integer import legalize

layers = keras.layers
PURPOSE = "to keep in float32"


@pytest.fixture(scope="module")
def graph():
    x = keras.Input((12, 12, 3), name="image")
    y = layers.Conv2D(4, 3, use_bias=False, name="block_1_conv")(x)
    y = layers.BatchNormalization(name="block_1_norm")(y)
    y = layers.ReLU(name="block_1_relu")(y)
    inner = keras.Sequential(
        [
            keras.Input((10, 10, 4)),
            layers.Conv2D(4, 1, name="conv"),
            layers.Activation("swish", name="swish"),
            layers.Dropout(0.1, name="drop"),
        ],
        name="block_2",
    )
    y = inner(y)
    shared = layers.Dense(4, name="shared")
    y = shared(shared(y))
    y = layers.Reshape((100, 4), name="rows")(y)
    y = layers.Bidirectional(layers.GRU(3, name="gru"), name="both")(y)
    return graph_of(keras.Model(x, layers.Dense(2, activation="softmax", name="class")(y)))


@pytest.mark.parametrize("name", ["block_1_conv", "block_1_norm", "block_1_relu"])
def test_every_layer_of_a_fused_op_finds_it(graph, name):
    assert ops_of_layer(graph, name) == {"block_1_relu"}


def test_a_model_inside_is_all_that_is_in_it(graph):
    assert ops_of_layer(graph, "block_2") == {
        "block_2/conv",
        "block_2/swish",
        "block_2/swish/logistic",
    }
    assert ops_of_layer(graph, "block_2/swish") == {"block_2/swish", "block_2/swish/logistic"}


def test_a_shared_layer_is_all_of_its_calls(graph):
    assert ops_of_layer(graph, "shared") == {"shared", "shared@2"}
    assert ops_of_layer(graph, "shared@2") == {"shared@2"}


def test_a_wrapper_is_what_it_wraps(graph):
    parts = {"both/forward_gru/sequence", "both/backward_gru/sequence"}
    assert ops_of_layer(graph, "both") == {*parts, "both"}
    assert ops_of_layer(graph, "both/backward_gru") == {"both/backward_gru/sequence"}


def test_ops_that_legalising_adds_belong_to_their_layer(graph):
    legal = legalize(graph, "int16")
    added = {op.name for op in legal.ops} - {op.name for op in graph.ops}
    of_layers = set().union(*(ops_of_layer(legal, path) for path in layer_paths(legal)))
    assert added <= of_layers


def test_a_name_begins_no_other_name(graph):
    assert ops_of_layer(graph, "block") == frozenset()


def test_patterns(graph):
    assert chosen_layers(graph, ["block_1*"], PURPOSE) == (
        "block_1_conv",
        "block_1_norm",
        "block_1_relu",
    )
    assert chosen_layers(graph, ["block_2*", "class", "class"], PURPOSE) == ("block_2", "class")
    assert chosen_layers(graph, ["*/swish"], PURPOSE) == ("block_2/swish",)


@pytest.mark.parametrize("name", ["block_1_con", "block_9*"])
def test_an_unknown_layer_is_told_with_those_like_it(graph, name):
    with pytest.raises(UsageError, match="no layer 'block_") as caught:
        chosen_layers(graph, [name], PURPOSE)
    assert caught.value.hint.startswith("most like it: block_")


def test_a_name_without_its_path_is_told_with_it(graph):
    with pytest.raises(UsageError) as caught:
        chosen_layers(graph, ["swish"], PURPOSE)
    assert caught.value.hint == "most like it: block_2/swish"


def test_a_layer_that_left_no_op_has_nothing_to_quantise(graph):
    with pytest.raises(UsageError, match="'block_2/drop' has nothing to quantise"):
        chosen_layers(graph, ["block_2/drop"], PURPOSE)


def test_a_layer_of_indices_has_nothing_to_quantise():
    x = keras.Input((6,), dtype="int32", name="words")
    y = layers.Reshape((2, 3), name="pairs")(x)
    graph = graph_of(keras.Model(x, layers.Embedding(9, 4, name="table")(y)))
    assert chosen_layers(graph, ["table"], PURPOSE) == ("table",)
    with pytest.raises(UsageError, match="'pairs' has nothing to quantise"):
        chosen_layers(graph, ["pairs"], PURPOSE)


def test_a_graph_without_keras_has_the_names_of_its_weights(graph):
    plain = graph.with_(metadata={})
    assert ops_of_layer(plain, "block_1_conv") == {"block_1_relu"}
    assert layer_paths(plain)[0] == "block_1_relu"
