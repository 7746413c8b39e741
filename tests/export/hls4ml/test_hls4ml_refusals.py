"""What hls4ml has no layer for is refused with the layer's name and the reason."""

import keras
import pytest
from keras import layers, ops
from support.hls4ml import fixed16

from edgenn import compiler
from edgenn.errors import UnsupportedError
from edgenn.export.hls4ml.exporter import refusals


def model(layer, shape, dtype="float32"):
    inputs = keras.Input(shape, name="x", dtype=dtype)
    return keras.Model(inputs, layer(inputs), name="refused")


@pytest.mark.parametrize(
    ("layer", "shape", "reason"),
    [
        (layers.Conv2D(4, 3, dilation_rate=2, name="wide"), (8, 8, 2), "wide: .*dilated"),
        (layers.Conv2D(4, 3, groups=2, name="split"), (8, 8, 4), "split: .*in 2 groups"),
        (layers.DepthwiseConv2D(3, depth_multiplier=2, name="deep"), (8, 8, 2), "deep: .*not 2"),
        (layers.Conv2DTranspose(2, 3, name="up"), (8, 8, 2), "up: .*no layer for 'transpose_conv"),
        (layers.SimpleRNN(3, name="rnn"), (5, 2), "rnn.*: .*no layer for 'simple_rnn'"),
        (layers.GRU(3, reset_after=False, name="gru"), (5, 2), "gru.*: .*reset_after=True only"),
        (layers.LSTM(3, go_backwards=True, name="back"), (5, 2), "back.*: .*from the last step"),
        (
            layers.Bidirectional(layers.GRU(3), merge_mode="sum", name="sum"),
            (5, 2),
            "sum/backward.*: .*from the last step",
        ),
        (layers.LSTM(3, activation="elu", name="odd"), (5, 2), "odd.*: .*cells have .*, not elu"),
        (layers.LSTM(3, name="open"), (None, 2), "x: .*known sizes"),
        (layers.Activation("gelu", name="gelu"), (4,), "gelu: .*no layer for 'gelu'"),
        (
            layers.Lambda(lambda x: ops.mean(x, axis=-1), name="over"),
            (6, 6, 3),
            r"over.*axes \[3\]",
        ),
        (layers.UpSampling2D(2, interpolation="bilinear", name="smooth"), (4, 4, 1), "smooth: "),
    ],
)
def test_each_is_refused_by_name(layer, shape, reason):
    with pytest.raises(UnsupportedError, match=reason):
        fixed16(model(layer, shape))


def test_masks_are_refused():
    inputs = keras.Input((5, 2), name="x")
    kept = layers.Masking(name="mask")(inputs)
    refused = keras.Model(inputs, layers.LSTM(3, name="lstm")(kept))
    with pytest.raises(UnsupportedError, match="hls4ml"):
        fixed16(refused)


def test_a_product_of_two_tensors_is_refused():
    inputs = keras.Input((5, 2), name="x")
    attention = layers.Attention(name="attention")([inputs, inputs])
    with pytest.raises(UnsupportedError, match=r"attention.*: hls4ml has no layer for 'batch_mat"):
        fixed16(keras.Model(inputs, attention))


def test_an_output_that_is_an_input_is_refused():
    inputs = keras.Input((5,), name="x")
    both = {"same": layers.Reshape((5, 1), name="same")(inputs), "y": layers.Dense(2)(inputs)}
    with pytest.raises(UnsupportedError, match=r"same: .*as it is"):
        fixed16(keras.Model(inputs, both))


def test_all_that_is_refused_is_known_before():
    """Two layers that hls4ml has not, and one between them that it has."""
    inputs = keras.Input((6, 6, 2), name="x")
    wide = layers.Conv2D(4, 3, dilation_rate=2, name="wide")(inputs)
    plain = layers.Conv2D(4, 1, name="plain")(wide)
    up = layers.Conv2DTranspose(2, 3, name="up")(plain)
    found = refusals(compiler.graph_of(keras.Model(inputs, up)))
    assert list(found) == ["wide", "up"]
    assert "dilated" in found["wide"].message and "transpose_conv_2d" in found["up"].message
    assert refusals(compiler.graph_of(keras.Model(wide, plain))) == {}
