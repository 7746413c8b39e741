"""Every layer with its options: the captured graph gives what Keras gives."""

from typing import Any

import numpy as np
import pytest
from support.captured import assert_captured, layer_model

from edgenn.errors import UnsupportedError
from edgenn.frontend import capture
from edgenn.frontend.keras_import import keras

layers = keras.layers
IMAGE, SIGNAL, VECTOR = (9, 8, 4), (11, 4), (6,)


def case(class_name: str, *shapes: tuple[int | None, ...], **options: Any) -> Any:
    text = ",".join(f"{key}={value}" for key, value in options.items())
    return pytest.param(class_name, options, shapes, id=f"{class_name}({text}){shapes}")


CONVOLUTIONS = [
    case("Conv2D", IMAGE, filters=5, kernel_size=3),
    case("Conv2D", IMAGE, filters=5, kernel_size=3, activation="relu"),
    case("Conv2D", IMAGE, filters=5, kernel_size=(2, 3), strides=(2, 1), padding="same"),
    case("Conv2D", IMAGE, filters=5, kernel_size=3, dilation_rate=2, padding="same"),
    case("Conv2D", IMAGE, filters=6, kernel_size=3, groups=2, use_bias=False),
    case("Conv2D", IMAGE, filters=8, kernel_size=3, groups=4, strides=2),
    case("Conv2D", IMAGE, filters=3, kernel_size=2, activation="softmax"),
    case("Conv2D", (None, None, 3), filters=4, kernel_size=3, strides=2, padding="same"),
    case("Conv2D", (4, 9, 8), filters=5, kernel_size=3, data_format="channels_first"),
    case("Conv1D", SIGNAL, filters=5, kernel_size=3),
    case("Conv1D", SIGNAL, filters=5, kernel_size=3, padding="causal", dilation_rate=2),
    case("Conv1D", SIGNAL, filters=6, kernel_size=4, padding="same", strides=2, groups=2),
    case("Conv1D", (None, 4), filters=6, kernel_size=4, padding="causal"),
    case("Conv1D", (4, 11), filters=5, kernel_size=3, data_format="channels_first"),
    case("DepthwiseConv2D", IMAGE, kernel_size=3),
    case("DepthwiseConv2D", IMAGE, kernel_size=3, depth_multiplier=2, padding="same", strides=2),
    case("DepthwiseConv2D", IMAGE, kernel_size=2, dilation_rate=2, activation="relu6"),
    case("DepthwiseConv2D", (4, 9, 8), kernel_size=3, data_format="channels_first"),
    case("DepthwiseConv1D", SIGNAL, kernel_size=3, depth_multiplier=2),
    case("DepthwiseConv1D", SIGNAL, kernel_size=3, padding="same", strides=2, use_bias=False),
    case("SeparableConv2D", IMAGE, filters=5, kernel_size=3, depth_multiplier=2),
    case("SeparableConv2D", IMAGE, filters=5, kernel_size=3, padding="same", activation="elu"),
    case("SeparableConv1D", SIGNAL, filters=5, kernel_size=3, strides=2),
    case("Conv2DTranspose", IMAGE, filters=3, kernel_size=3),
    case("Conv2DTranspose", IMAGE, filters=3, kernel_size=3, strides=2, padding="same"),
    case("Conv2DTranspose", IMAGE, filters=3, kernel_size=2, strides=3),
    case("Conv2DTranspose", IMAGE, filters=3, kernel_size=4, strides=2, activation="relu"),
    case("Conv2DTranspose", IMAGE, filters=3, kernel_size=3, strides=2, output_padding=1),
    case(
        "Conv2DTranspose",
        IMAGE,
        filters=3,
        kernel_size=3,
        strides=2,
        padding="same",
        output_padding=(1, 0),
    ),
    case("Conv1DTranspose", SIGNAL, filters=3, kernel_size=3, strides=2, padding="same"),
    case("Conv1DTranspose", SIGNAL, filters=3, kernel_size=5, strides=2, use_bias=False),
]
DENSE = [
    case("Dense", VECTOR, units=5),
    case("Dense", IMAGE, units=5, activation="tanh", use_bias=False),
    case("Dense", (None, 4), units=3),
    case("EinsumDense", (6, 4), equation="abc,cd->abd", output_shape=(None, 5), bias_axes="d"),
    case("EinsumDense", (6, 4), equation="abc,cde->abde", output_shape=(6, 2, 3), bias_axes="de"),
    case("EinsumDense", (6, 4, 3), equation="abcd,cde->abe", output_shape=(6, 5), bias_axes="e"),
    case("EinsumDense", (6, 4), equation="abc,bcd->abd", output_shape=(6, 5), bias_axes="bd"),
    case("EinsumDense", (6, 4), equation="abc,bd->adc", output_shape=(5, 4), bias_axes="d"),
    case("EinsumDense", (6, 4), equation="...x,xy->...y", output_shape=5, activation="relu"),
]
POOLING = [
    case(f"{kind}Pooling{suffix}", shape, **options)
    for kind in ("Max", "Average")
    for suffix, shape in (("2D", IMAGE), ("1D", SIGNAL))
    for options in (
        {"pool_size": 2},
        {"pool_size": 3, "strides": 2, "padding": "same"},
        {"pool_size": 3, "strides": 1, "padding": "valid"},
    )
] + [
    case("MaxPooling2D", (None, None, 3), pool_size=(2, 3), padding="same"),
    case("AveragePooling1D", (4, 11), pool_size=2, data_format="channels_first"),
    *(
        case(f"Global{kind}Pooling{suffix}", shape, keepdims=keepdims)
        for kind in ("Max", "Average")
        for suffix, shape in (("2D", IMAGE), ("1D", SIGNAL), ("2D", (None, None, 3)))
        for keepdims in (False, True)
    ),
    case("GlobalAveragePooling2D", (4, 9, 8), data_format="channels_first"),
    case("GlobalMaxPooling1D", (4, 9), data_format="channels_first"),
]
NORMALIZATION = [
    case("BatchNormalization", IMAGE),
    case("BatchNormalization", VECTOR, center=False, epsilon=0.1),
    case("BatchNormalization", (4, 9, 8), axis=1, scale=False),
    case("LayerNormalization", VECTOR),
    case("LayerNormalization", IMAGE, axis=(1, 2, 3), epsilon=1e-2),
    case("LayerNormalization", IMAGE, axis=[1, -1], center=False),
    case("LayerNormalization", (None, None, 4), scale=False),
    case("GroupNormalization", IMAGE, groups=2),
    case("GroupNormalization", IMAGE, groups=1, scale=False),
    case("GroupNormalization", IMAGE, groups=-1),
    case("GroupNormalization", (4, 9, 8), groups=2, axis=1),
    case("GroupNormalization", (None, None, 4), groups=2),
    case("GroupNormalization", VECTOR, groups=3, center=False),
    case("UnitNormalization", IMAGE),
    case("UnitNormalization", IMAGE, axis=[1, 2]),
    case("RMSNormalization", VECTOR),
    case("RMSNormalization", SIGNAL, axis=-1, epsilon=1e-3),
]
SHAPES = [
    case("Flatten", IMAGE),
    case("Flatten", VECTOR),
    case("Flatten", (4, 9, 8), data_format="channels_first"),
    case("Reshape", IMAGE, target_shape=(8, 36)),
    case("Reshape", IMAGE, target_shape=(3, -1, 4)),
    case("Permute", IMAGE, dims=(3, 1, 2)),
    case("RepeatVector", VECTOR, n=3),
    case("ZeroPadding1D", SIGNAL, padding=(1, 2)),
    case("ZeroPadding1D", (4, 11), padding=2, data_format="channels_first"),
    case("ZeroPadding2D", IMAGE, padding=((1, 2), (0, 3))),
    case("ZeroPadding2D", (None, None, 3), padding=1),
    case("ZeroPadding2D", (4, 9, 8), padding=(2, 1), data_format="channels_first"),
    case("Cropping1D", SIGNAL, cropping=(1, 2)),
    case("Cropping1D", SIGNAL, cropping=(3, 0)),
    case("Cropping2D", IMAGE, cropping=((1, 2), (0, 3))),
    case("Cropping2D", (4, 9, 8), cropping=2, data_format="channels_first"),
    case("Cropping2D", (None, None, 3), cropping=1),
]
IMAGES = [
    case("UpSampling1D", SIGNAL, size=3),
    case("UpSampling2D", IMAGE, size=(2, 3)),
    case("UpSampling2D", IMAGE, size=2, interpolation="bilinear"),
    case("UpSampling2D", (4, 9, 8), size=2, data_format="channels_first"),
    case("Resizing", IMAGE, height=5, width=13, interpolation="nearest"),
    case("Resizing", IMAGE, height=5, width=13, interpolation="bilinear"),
    case("Resizing", IMAGE, height=20, width=9),
    case("Resizing", IMAGE, height=12, width=11, antialias=True),
    case("Resizing", IMAGE, height=9, width=8),
    case("Resizing", (None, None, 3), height=6, width=5),
    case("Resizing", IMAGE, height=6, width=4, crop_to_aspect_ratio=True),
    case("Resizing", IMAGE, height=4, width=6, pad_to_aspect_ratio=True, fill_value=0.5),
    case("CenterCrop", IMAGE, height=4, width=5),
    case("CenterCrop", IMAGE, height=12, width=5),
    case("Rescaling", IMAGE, scale=1 / 127.5, offset=-1),
    case("Rescaling", IMAGE, scale=[1.0, 2.0, 3.0, 4.0]),
    case("Normalization", IMAGE, mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0]),
    case("Normalization", VECTOR, axis=None, mean=3.0, variance=2.0, invert=True),
]
ACTIVATION_LAYERS = [
    case("ReLU", IMAGE),
    case("ReLU", IMAGE, max_value=6.0),
    case("ReLU", IMAGE, max_value=1.5),
    case("ReLU", IMAGE, negative_slope=0.3),
    case("ReLU", IMAGE, negative_slope=0.3, max_value=1.0, threshold=0.4),
    case("ReLU", IMAGE, threshold=0.7),
    case("LeakyReLU", IMAGE, negative_slope=0.2),
    case("PReLU", IMAGE),
    case("PReLU", IMAGE, shared_axes=[1, 2]),
    case("ELU", IMAGE),
    case("ELU", IMAGE, alpha=0.5),
    case("Softmax", IMAGE),
    case("Softmax", IMAGE, axis=1),
    case("Softmax", IMAGE, axis=[1, 2]),
]
IDENTITIES = [
    case("Dropout", IMAGE, rate=0.5),
    case("SpatialDropout1D", SIGNAL, rate=0.5),
    case("SpatialDropout2D", IMAGE, rate=0.5),
    case("GaussianNoise", IMAGE, stddev=1.0),
    case("GaussianDropout", IMAGE, rate=0.5),
    case("AlphaDropout", IMAGE, rate=0.5),
    case("ActivityRegularization", IMAGE, l2=0.1),
    case("Identity", IMAGE),
    case("RandomFlip", IMAGE),
    case("RandomRotation", IMAGE, factor=0.2),
    case("RandomZoom", IMAGE, height_factor=0.2),
    case("RandomContrast", IMAGE, factor=0.2),
    case("RandomBrightness", IMAGE, factor=0.2),
    case("RandomTranslation", IMAGE, height_factor=0.2, width_factor=0.2),
    case("RandomCrop", IMAGE, height=5, width=4),
]
MERGING = [
    *(
        case(kind, IMAGE, IMAGE)
        for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    ),
    *(case(kind, IMAGE, IMAGE, IMAGE) for kind in ("Add", "Average", "Maximum", "Concatenate")),
    case("Add", (1, 1, 4), IMAGE),
    case("Multiply", (4,), SIGNAL),
    case("Concatenate", (2, 4), (3, 4), axis=1),
    case("Dot", VECTOR, VECTOR, axes=1),
    case("Dot", VECTOR, VECTOR, axes=-1, normalize=True),
    case("Dot", (3, 5), (4, 5), axes=2),
    case("Dot", (5, 3), (4, 5), axes=(1, 2)),
    case("Dot", (2, 3, 5), (4, 5), axes=(3, 2)),
]
ALL = (
    CONVOLUTIONS
    + DENSE
    + POOLING
    + NORMALIZATION
    + SHAPES
    + IMAGES
    + ACTIVATION_LAYERS
    + IDENTITIES
    + MERGING
)


@pytest.mark.parametrize(("class_name", "options", "shapes"), ALL)
def test_layer(class_name: str, options: dict[str, Any], shapes: Any) -> None:
    layer = getattr(layers, class_name)(name="tested", **options)
    graph = assert_captured(layer_model(layer, *shapes))
    if graph.ops:
        assert list(graph.outputs.values()) == ["tested"]
        assert list(graph.outputs) == ["tested"]


ACTIVATIONS = sorted(
    name
    for name in vars(keras.activations)
    if not name.startswith("_")
    and name not in ("get", "serialize", "deserialize", "threshold", "sparsemax")
)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_function(name: str) -> None:
    graph = assert_captured(
        layer_model(layers.Activation(name, name="tested"), (6,)),
        inputs=[np.linspace(-8, 8, 60, dtype=np.float32).reshape(10, 6)],
    )
    assert not graph.ops or graph.ops[-1].name == "tested"


def test_embedding() -> None:
    assert_captured(layer_model(layers.Embedding(5, 3), (4,), dtype="int32"))
    assert_captured(layer_model(layers.Embedding(5, 3), (4,)), inputs=[np.float32([[0, 1, 4, 2]])])


def test_adapted_normalization() -> None:
    layer = layers.Normalization(axis=-1)
    layer.adapt(np.random.default_rng(0).normal(2, 3, (20, 5, 4)))
    model = layer_model(layer, (5, 4))
    weights = [w.numpy() for w in model.weights]
    assert max(abs(weights[0])) > 1
    assert_captured(model)


def test_rescaling_of_bytes() -> None:
    graph = assert_captured(layer_model(layers.Rescaling(1 / 255), IMAGE, dtype="uint8"))
    assert graph.tensors["x0"].dtype == "uint8"


@pytest.mark.parametrize(("interpolation", "levels"), [("nearest", 0), ("bilinear", 1)])
def test_resizing_of_bytes(interpolation: str, levels: int) -> None:
    """Bilinear values that lie half-way may be rounded the other way."""
    layer = layers.Resizing(5, 13, interpolation=interpolation)
    image = np.random.default_rng(0).integers(0, 256, (2, *IMAGE)).astype(np.uint8)
    assert_captured(
        layer_model(layer, IMAGE, dtype="uint8"), inputs=[image], tolerance=levels / 200
    )


def test_masking_zeroes_steps() -> None:
    x = np.float32([[[1, 2], [0, 0], [0, 3]]])
    assert_captured(layer_model(layers.Masking(), (3, 2)), inputs=[x])


def test_reshape_of_an_open_length_needs_a_batch() -> None:
    model = layer_model(layers.Reshape((-1, 2), name="tested"), (None, 8))
    with pytest.raises(UnsupportedError, match="tested: reshapes to"):
        capture(model)
    assert_captured(model, batch=1)
