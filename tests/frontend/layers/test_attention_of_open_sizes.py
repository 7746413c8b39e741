"""Attention and products where both batch and length are open. Witness: Keras."""

import keras
import pytest
from support.captured import assert_captured, layer_model

layers = keras.layers
OPEN = (None, 6)


def test_attention_with_heads():
    x = keras.Input(OPEN, name="x")
    assert_captured(keras.Model(x, layers.MultiHeadAttention(3, 2)(x, x)))


def test_attention_between_two_sequences():
    x, y = keras.Input(OPEN, name="x"), keras.Input((None, 4), name="y")
    layer = layers.MultiHeadAttention(2, 5, value_dim=3, use_bias=False)
    assert_captured(keras.Model([x, y], layer(x, y)))


def test_attention_with_groups():
    x = keras.Input(OPEN, name="x")
    assert_captured(keras.Model(x, layers.GroupQueryAttention(4, 4, 2)(x, x)))


@pytest.mark.parametrize(
    ("equation", "output", "bias", "shape"),
    [
        ("abc,cde->abde", (None, 2, 3), "de", (None, 6)),
        ("abc,c->ab", (None,), None, (None, 6)),
        ("abcd,cde->abe", (None, 4), "e", (None, 2, 3)),
        ("abcd,de->abce", (None, 2, 4), "e", (None, 2, 3)),
        ("abcd,cdef->abef", (None, 2, 5), "ef", (None, 2, 3)),
        ("abc,cd->adb", (4, None), "d", (None, 6)),
    ],
)
def test_products_with_a_kernel(equation, output, bias, shape):
    layer = layers.EinsumDense(equation, output, bias_axes=bias)
    assert_captured(layer_model(layer, shape))
