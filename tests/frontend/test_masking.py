"""Keras masks, from the layers that make them to those that use them; Keras is the witness."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.captured import assert_captured, assert_outputs, layer_model, randomize
from support.masked import (
    IDS,
    QUIET,
    STEPS,
    WORDS,
    Build,
    Kept,
    assert_masked,
    flat,
    kept,
    nested,
    of,
    operations,
    pool,
)

from edgenn.errors import UnsupportedError
from edgenn.frontend import capture
from edgenn.frontend.keras_import import keras

pytestmark = pytest.mark.filterwarnings(*QUIET)

layers, ops = keras.layers, keras.ops
WAYS = pytest.mark.parametrize("way", [flat, nested])


class Scored(layers.Layer):
    """A mask of its own, and ops inside."""

    def __init__(self) -> None:
        super().__init__()
        self.table = layers.Embedding(WORDS, 4)

    def call(self, x: Any) -> Any:
        return ops.sin(self.table(x))

    def compute_mask(self, x: Any, previous: Any = None) -> Any:
        return ops.logical_and(ops.greater(x, 2), ops.not_equal(x, 5))


class Transformer(layers.Layer):
    """Uses a mask inside; the sum loses it, unless the layer says that it supports masking."""

    def __init__(self, supports_masking: bool) -> None:
        super().__init__()
        self.attention = layers.MultiHeadAttention(2, 3)
        self.norm = layers.LayerNormalization()
        self.supports_masking = supports_masking

    def call(self, x: Any) -> Any:
        return self.norm(x + self.attention(x, x, use_causal_mask=True))


class AttentionFirst(layers.Layer):
    """Keras's attention takes the mask off its input, so the pooling after it sees none."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.pool = layers.MultiHeadAttention(2, 3), layers.GlobalAveragePooling1D()

    def call(self, x: Any) -> Any:
        attended = self.attention(x, x)
        return self.pool(x) + self.pool(attended)


class Remasked(layers.Layer):
    """Sets masks by hand."""

    def call(self, x: Any) -> Any:
        y = ops.sin(x)
        keras.src.backend.set_keras_mask(y, ops.greater(x[..., 0], 0))
        return y


class MaskToo(layers.Layer):
    """Gives its result's mask as a second result."""

    def call(self, x: Any) -> Any:
        y, mask = ops.sin(x), ops.greater(x[..., 0], 0)
        keras.src.backend.set_keras_mask(y, mask)
        return y, mask


class Pooled(layers.Layer):
    """Layers inside that carry the mask to one that uses it."""

    def __init__(self) -> None:
        super().__init__()
        self.dense, self.pool = layers.Dense(3), layers.GlobalAveragePooling1D()

    def call(self, x: Any) -> Any:
        return self.pool(self.dense(x))


def opposite(x: Any, mask: Any) -> Any:
    return None if mask is None else ops.logical_not(mask)


def both_ways(x: Any) -> Any:
    """A layer whose mask Keras records when it knows one, and one whose masks it never does."""
    return [kept(x), layers.Attention()([x, x])]


def head(units: int = 3) -> Any:
    return keras.Sequential([layers.Dense(units), layers.Dropout(0.1)])


def mha(**options: Any) -> Any:
    return layers.MultiHeadAttention(2, 3, **options)


CARRIED: dict[str, Build] = {
    "embedding": lambda x: x,
    "dense": layers.Dense(3, activation="relu"),
    "layers": lambda x: layers.LayerNormalization()(layers.Dropout(0.1)(layers.ReLU()(x))),
    "batch_normalization": layers.BatchNormalization(),
    "lost_in_an_operation": lambda x: x + 1,
    "lost_in_an_operation_of_no_effect": lambda x: ops.reshape(x, (-1, STEPS, 4)),
    "lost_in_a_layer_of_no_effect": layers.Reshape((STEPS, 4)),
    "kept_by_a_cast_of_no_effect": lambda x: ops.cast(x, "float32"),
    "kept_by_a_function_of_no_effect": layers.Lambda(lambda x: x),
    "function_with_a_mask": lambda x: layers.Lambda(lambda x: 2 * x, mask=opposite)(x),
    "sequential": lambda x: head()(x),
    "sequential_in_a_sequential": lambda x: keras.Sequential([head(), layers.ReLU()])(x),
    "rescaling": layers.Rescaling(2.0),
    "convolution": layers.Conv1D(3, 2, padding="same"),
    "set_by_hand": lambda x: Remasked()(x),
    "set_by_hand_and_given": lambda x: MaskToo()(x)[0],
    "transformer": lambda x: Transformer(False)(x),
    "transformer_that_supports_masking": lambda x: Transformer(True)(x),
    "attention": lambda x: layers.Attention()([x, x]),
    "multi_head": lambda x: mha()(x, x),
    "multi_head_takes_masks_off": lambda x: layers.Add()([x, mha()(x, x)]),
    "grouped": lambda x: layers.GroupQueryAttention(3, 4, 2)(x, x),
}
"""Layers between the one that makes a mask and one that shows it."""


@WAYS
@pytest.mark.parametrize("layer", CARRIED)
def test_a_mask_is_carried_as_keras_does(layer: str, way: Build) -> None:
    assert_masked(of(1, lambda x: kept(CARRIED[layer](x)), way=way))


USED: dict[str, Build] = {
    "pooling": pool,
    "pooling_keepdims": layers.GlobalAveragePooling1D(keepdims=True),
    "max_pooling_does_not": layers.GlobalMaxPooling1D(),
    "layer_inside_a_layer": lambda x: Pooled()(x),
    "layer_inside_a_sequential": lambda x: keras.Sequential([head(), Pooled()])(x),
    "attention_inside_a_layer": lambda x: AttentionFirst()(x),
    "activation_layer": lambda x: layers.Activation(layers.ReLU())(x),
    "attention": lambda x: layers.Attention()([x, x]),
    "attention_causal": lambda x: layers.Attention(use_scale=True)([x, x], use_causal_mask=True),
    "attention_concat": lambda x: layers.Attention(score_mode="concat")([x, x]),
    "additive": lambda x: layers.AdditiveAttention()([x, x]),
    "multi_head": lambda x: mha()(x, x),
    "multi_head_causal": lambda x: mha()(x, x, use_causal_mask=True),
    "multi_head_dropout": lambda x: mha(dropout=0.1)(x, x),
    "multi_head_scores": lambda x: mha()(x, x, return_attention_scores=True),
    "grouped_causal": lambda x: layers.GroupQueryAttention(3, 4, 2)(x, x, use_causal_mask=True),
}


@WAYS
@pytest.mark.parametrize("layer", USED)
def test_a_mask_is_used_as_keras_does(layer: str, way: Build) -> None:
    assert_masked(of(1, USED[layer], way=way))


PAIRS: dict[str, Build] = {
    "attention": lambda a, b: layers.Attention()([a, b]),
    "attention_with_keys": lambda a, b: layers.Attention()([a, b, b + 1]),
    "attention_masked_values": lambda a, b: layers.Attention()([a + 1, b]),
    "attention_masked_query": lambda a, b: layers.Attention()([a, b + 1]),
    "multi_head": lambda a, b: mha()(a, b),
    "multi_head_with_keys": lambda a, b: mha()(a, b, key=layers.Dense(4)(b)),
    "multi_head_masked_values": lambda a, b: mha()(a + 1, b),
    "multi_head_given_a_mask": lambda a, b: mha()(a, b, value_mask=ops.greater(b[..., 0], 0)),
    "explicit": lambda a, b: Kept()(a, mask=ops.greater(b[..., 0], 0)),
    "explicit_is_carried": lambda a, b: kept(
        layers.BatchNormalization()(a, mask=ops.greater(b[..., 0], 0))
    ),
    "sequential_given_a_mask": lambda a, b: keras.Sequential([layers.Dense(3), Pooled()])(
        a, mask=ops.greater(b[..., 0], 0)
    ),
    "mask_of_a_sequential_found_when_it_runs": lambda a, b: both_ways(
        layers.Concatenate(axis=1)([a, head(4)(b)])
    ),
    "multi_head_before_its_neighbour": lambda a, b: layers.Concatenate()(
        [layers.Dense(2)(pool(a)), pool(mha()(a, b)), pool(b)]
    ),
}


@WAYS
@pytest.mark.parametrize("layer", PAIRS)
def test_two_masks(layer: str, way: Build) -> None:
    assert_masked(of(2, PAIRS[layer], way=way))


@pytest.mark.parametrize("shared", [True, False])
def test_a_nested_model_carries_masks_of_several_inputs(shared: bool) -> None:
    a, b = keras.Input((STEPS, 4)), keras.Input((STEPS, 4))
    outputs = [layers.Add()([a, b]), layers.Attention()([b, a])]
    inner = keras.Model([a, b], outputs)

    def build(a: Any, b: Any) -> Any:
        first = inner([a, b])
        again = inner([b + 1, a]) if shared else []
        return [kept(y) for y in (*first, *again)]

    assert_masked(of(2, build))


def test_a_mask_of_the_layer_itself() -> None:
    x = keras.Input((STEPS,), dtype="int32")
    y = Scored()(x)
    assert_captured(keras.Model(x, [kept(y), layers.Attention()([y, y])]), inputs=[IDS])


def test_a_subclassed_model() -> None:
    class Classifier(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.table = layers.Embedding(WORDS, 4, mask_zero=True)
            self.block, self.head = Transformer(True), Pooled()

        def call(self, ids: Any) -> Any:
            return self.head(self.block(self.table(ids)))

    model = Classifier()
    model(IDS)
    randomize(model)
    assert_outputs(capture(model), [IDS.astype(np.float32)], [model(IDS)], 1e-5)


def test_a_model_from_a_file(tmp_path: Any) -> None:
    model = of(2, lambda a, b: pool(layers.Concatenate()([a, layers.Dense(3)(b)])))
    model.save(tmp_path / "model.keras")
    assert_masked(keras.models.load_model(tmp_path / "model.keras"))


@cache
def classifier() -> tuple[Any, Any]:
    """A model with most of what uses masks, and its graph."""

    def build(a: Any, b: Any) -> Any:
        x = layers.Concatenate(axis=1)([a, layers.Dense(4)(b)])
        x = layers.Add()([x, layers.Attention()([x, x])])
        y = layers.Multiply()([a, b])
        return [pool(mha()(x, y)), kept(y), kept(layers.Maximum()([a, b]))]

    model = of(2, build)
    randomize(model)
    return model, capture(model)


@settings(deadline=None, max_examples=30)
@given(
    *[hnp.arrays(np.int32, (3, STEPS), elements=st.sampled_from((0, 0, 1, 2, 3)))] * 2,
)
def test_every_pattern_of_masks(first: np.ndarray, second: np.ndarray) -> None:
    model, graph = classifier()
    assert_outputs(graph, [first, second], model([first, second]), 1e-5)


def test_a_mask_that_nothing_uses_leaves_nothing_behind() -> None:
    with_mask = assert_masked(of(1, lambda x: layers.Dense(3)(x)))
    assert operations(with_mask) == ["gather", "fully_connected"]
    concatenated = assert_masked(of(2, lambda a, b: layers.Concatenate()([a, b + 1])))
    assert operations(concatenated) == ["gather", "gather", "add", "concatenation"]


def test_one_mask_of_several_uses_is_made_once() -> None:
    graph = assert_masked(of(1, lambda x: [pool(x), layers.Attention()([x, x]), kept(x)]))
    assert operations(graph).count("not_equal") == 1


def test_masks_have_the_names_of_their_layers() -> None:
    x = keras.Input((STEPS,), dtype="int32")
    y = layers.Embedding(WORDS, 4, mask_zero=True, name="words")(x)
    graph = capture(keras.Model(x, mha(name="mha")(y, y)))
    assert "words/mask" in graph.tensors


def test_a_mask_that_cannot_be_traced_is_named() -> None:
    class Odd(layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 1

        def compute_mask(self, x: Any, previous: Any = None) -> Any:
            import tensorflow as tf

            return None if previous is None else tf.logical_not(previous)

    inner = keras.Sequential([keras.Input((STEPS, 4)), Odd(name="odd")], name="inner")
    with pytest.raises(UnsupportedError, match="inner/odd: compute_mask of layer of class Odd"):
        capture(of(1, inner))


def test_a_layer_that_uses_a_mask_and_cannot_be_converted_is_named() -> None:
    class Odd(layers.Layer):
        def call(self, x: Any, mask: Any = None) -> Any:
            import tensorflow as tf

            return tf.where(mask[..., None], x, 0.0)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    with pytest.raises(UnsupportedError, match=r"odd: layer of class Odd .* cannot be traced"):
        capture(of(1, Odd(name="odd")))


def test_layers_without_masks_are_as_before() -> None:
    pooled = capture(layer_model(layers.GlobalAveragePooling1D(), (STEPS, 4)))
    assert operations(pooled) == ["mean"]
