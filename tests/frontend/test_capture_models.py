"""Whole models: how they are walked, traced, named and refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.captured import assert_captured, assert_outputs, randomize

from edgenn.errors import UnsupportedError, UsageError
from edgenn.frontend import capture
from edgenn.frontend.keras_import import keras

layers, ops = keras.layers, keras.ops
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 8, 8, 3)).astype(np.float32)
SEQUENCES = RNG.normal(size=(2, 5, 6)).astype(np.float32)


def block(name: str, channels: int = 4) -> Any:
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(channels, 3, padding="same", use_bias=False, name="conv")(x)
    y = layers.BatchNormalization(name="norm")(y)
    return keras.Model(x, layers.ReLU(6.0, name="act")(y), name=name)


def assert_traced(model: Any, *inputs: np.ndarray, tolerance: float = 1e-5) -> Any:
    """Like ``assert_captured`` for a model that Keras only knows by calling it."""
    argument = inputs[0] if len(inputs) == 1 else inputs
    model(argument)
    randomize(model)
    graph = capture(model)
    expected = keras.tree.flatten(model(argument, training=False))
    assert_outputs(graph, inputs, expected, tolerance)
    return graph


def test_sequential() -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3), name="image"),
            layers.Rescaling(0.5, name="scale"),
            layers.SeparableConv2D(4, 3, activation="relu", name="conv"),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(3, activation="softmax", name="top"),
        ],
        name="small",
    )
    graph = assert_captured(model)
    assert graph.name == "small"
    assert dict(graph.inputs) == {"image": "image"}
    assert dict(graph.outputs) == {"top": "top"}
    assert {"scale", "conv", "pool", "top"} <= set(graph.tensors)
    assert {"conv/depthwise_kernel", "conv/pointwise_kernel", "conv/bias"} <= set(graph.tensors)


def test_batch_is_open_or_fixed() -> None:
    model = block("b")
    assert next(capture(model).input_tensors()).shape == (None, 8, 8, 3)
    graph = assert_captured(model, batch=3)
    assert next(graph.output_tensors()).shape == (3, 8, 8, 4)


def test_a_fixed_batch_is_not_overruled() -> None:
    x = keras.Input(batch_shape=(2, 4), name="x")
    model = keras.Model(x, layers.Dense(2)(x))
    assert next(capture(model).input_tensors()).shape == (2, 4)
    with pytest.raises(UsageError, match="input 'x' has a fixed batch of 2, not 3"):
        capture(model, batch=3)


def test_nested_models_keep_their_paths() -> None:
    x = keras.Input((8, 8, 3), name="x")
    features = block("backbone")(x)
    inner = keras.Sequential([layers.Flatten(name="flat"), layers.Dense(2, name="fc")], name="head")
    graph = assert_captured(keras.Model(x, inner(features)))
    assert {"backbone/conv", "backbone/norm", "backbone/act", "head/fc"} <= set(graph.tensors)
    assert "backbone/conv/kernel" in graph.tensors
    assert list(graph.outputs) == ["head"]


def test_shared_layers_and_models_share_weights() -> None:
    a, b = keras.Input((8, 8, 3), name="a"), keras.Input((8, 8, 3), name="b")
    shared, dense = block("shared"), layers.Dense(2, name="fc")
    outputs = [dense(layers.Flatten()(shared(x))) for x in (a, b)]
    graph = assert_captured(keras.Model([a, b], outputs))
    assert {"shared/act", "shared@2/act", "fc", "fc@2"} <= set(graph.tensors)
    assert sum(name.endswith("conv/kernel") for name in graph.tensors) == 1
    assert dict(graph.outputs) == {"fc": "fc", "fc_1": "fc@2"}


def test_several_inputs_and_outputs_by_dictionary() -> None:
    inputs = {"b": keras.Input((4,), name="b"), "a": keras.Input((4,), name="a")}
    both = layers.Concatenate()([inputs["a"], inputs["b"]])
    outputs = {"sum": layers.Add()(list(inputs.values())), "class": layers.Dense(3)(both)}
    model = keras.Model(inputs, outputs)
    randomize(model)
    graph = capture(model)
    assert set(graph.inputs) == {"a", "b"}
    assert set(graph.outputs) == {"sum", "class"}
    data = {name: RNG.normal(size=(2, 4)).astype(np.float32) for name in "ab"}
    expected = model(data)
    arrays = [data[name] for name in graph.inputs]
    assert_outputs(graph, arrays, [expected[name] for name in graph.outputs], 1e-5)


def test_an_output_in_the_middle_and_an_unused_input() -> None:
    x, unused = keras.Input((4,), name="x"), keras.Input((4,), name="unused")
    middle = layers.Dense(3, name="middle")(x)
    model = keras.Model([x, unused], [layers.ReLU(name="last")(middle), middle])
    graph = assert_captured(model)
    assert dict(graph.outputs) == {"last": "last", "middle": "middle"}
    assert list(graph.inputs) == ["x", "unused"]


def test_part_of_a_model() -> None:
    whole = block("whole")
    part = keras.Model(whole.get_layer("conv").output, whole.output)
    graph = assert_captured(part)
    assert [op.name for op in graph.ops] == ["norm/mul", "norm", "act"]


def test_open_image_sizes() -> None:
    x = keras.Input((None, None, 3))
    y = layers.Conv2D(4, 3, strides=2, padding="same", activation="silu")(x)
    y = layers.DepthwiseConv2D(3)(y)
    y = layers.BatchNormalization()(y)
    y = layers.MaxPooling2D(2)(layers.ZeroPadding2D(1)(y))
    skip = layers.Conv2D(4, 1)(y)
    y = layers.Multiply()([y, layers.GlobalAveragePooling2D(keepdims=True)(y)])
    y = layers.Concatenate()([layers.LayerNormalization()(y), skip])
    graph = assert_captured(keras.Model(x, layers.GlobalMaxPooling2D()(y)), size=21)
    assert next(graph.input_tensors()).shape == (None, None, None, 3)


class Residual(layers.Layer):
    """A custom layer with layers and operations inside."""

    def __init__(self, channels: int, **options: Any) -> None:
        super().__init__(**options)
        self.conv = layers.Conv2D(channels, 3, padding="same", name="conv")
        self.norm = layers.BatchNormalization(name="norm")
        self.dropout = layers.Dropout(0.5)

    def build(self, shape: Any) -> None:
        self.gain = self.add_weight(shape=(shape[-1],), name="gain", initializer="ones")
        super().build(shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        y = self.norm(self.conv(x), training=training)
        y = self.dropout(y, training=training)
        return ops.relu(x + self.gain * y) - np.float32(0.5) * x


def test_custom_layer_in_a_functional_model() -> None:
    x = keras.Input((8, 8, 3), name="x")
    y = Residual(3, name="first")(x)
    y = Residual(3, name="second")(y)
    graph = assert_captured(keras.Model(x, layers.Flatten(name="flat")(y)))
    assert {"first", "second", "first/conv", "second/norm", "first/gain"} <= set(graph.tensors)
    assert {"first/add", "first/relu", "second/add"} <= set(graph.tensors)


class Classifier(keras.Model):
    """A subclassed model."""

    def __init__(self, **options: Any) -> None:
        super().__init__(name="classifier", **options)
        self.stem = layers.Conv2D(4, 3, activation="gelu", name="stem")
        self.block = block("inner")
        self.top = layers.Dense(3, name="top")

    def call(self, images: Any) -> Any:
        x = self.stem(ops.pad(self.block(images)[..., :3], ((0, 0), (1, 1), (1, 1), (0, 0))))
        x = ops.reshape(x, (ops.shape(x)[0], -1, 4))
        return {"scores": self.top(ops.mean(x, axis=1)), "features": x}


def test_subclassed_model() -> None:
    model = Classifier()
    graph = assert_traced(model, IMAGES)
    assert list(graph.inputs) == ["images"]
    assert list(graph.outputs) == ["features", "scores"]
    assert {"stem", "inner/conv", "top"} <= set(graph.tensors)


def test_subclassed_model_with_several_inputs() -> None:
    class Sum(keras.Model):
        def call(self, pair: Any) -> Any:
            return pair[0] * 2 + pair[1]

    graph = assert_traced(Sum(), *(RNG.normal(size=(2, 3)).astype(np.float32) for _ in range(2)))
    assert list(graph.inputs) == ["pair_0", "pair_1"]


def test_subclassed_model_with_a_dictionary() -> None:
    class Scaled(keras.Model):
        def call(self, features: Any) -> Any:
            return features["left"] * 2 - features["right"]

    features = {name: RNG.normal(size=(2, 3)).astype(np.float32) for name in ("left", "right")}
    model = Scaled()
    expected = model(features)
    graph = capture(model)
    assert list(graph.inputs) == ["left", "right"]
    assert_outputs(graph, list(features.values()), [expected], 1e-5)


def test_subclassed_model_with_two_arguments_is_refused() -> None:
    """Keras keeps the shape of the first argument only."""

    class Product(keras.Model):
        def call(self, features: Any, gain: Any) -> Any:
            return features * gain

    model = Product()
    model(np.ones((2, 3), np.float32), np.ones((2, 1), np.float32))
    with pytest.raises(UsageError, match="the shape of argument 'gain' of Product"):
        capture(model)


def test_subclassed_model_from_a_file(tmp_path: Path) -> None:
    model = Classifier()
    expected = model(IMAGES)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(
        tmp_path / "model.keras", custom_objects={"Classifier": Classifier}
    )
    graph = capture(loaded)
    assert_outputs(graph, [IMAGES], keras.tree.flatten(expected), 1e-5)


def test_subclassed_model_of_unknown_shape() -> None:
    with pytest.raises(UsageError, match="call the model once on data"):
        capture(Classifier())


def test_sequential_of_unknown_shape() -> None:
    with pytest.raises(UsageError, match="call the model once on data"):
        capture(keras.Sequential([layers.Dense(3)]))


def test_tracing_leaves_the_model_as_it_was() -> None:
    model = Classifier()
    model(IMAGES)
    before = [(len(x._inbound_nodes), len(x._outbound_nodes)) for x in model._flatten_layers()]
    first = capture(model)
    assert before == [
        (len(x._inbound_nodes), len(x._outbound_nodes)) for x in model._flatten_layers()
    ]
    assert [op.name for op in capture(model).ops] == [op.name for op in first.ops]


ATTENTION = {
    "multi_head": lambda x: layers.MultiHeadAttention(2, 3, name="mha")(x, x),
    "multi_head_causal": lambda x: layers.MultiHeadAttention(2, 3, name="mha")(
        x, x, use_causal_mask=True
    ),
    "multi_head_dropout": lambda x: layers.MultiHeadAttention(2, 3, dropout=0.1, name="mha")(x, x),
    "grouped": lambda x: layers.GroupQueryAttention(3, 4, 2, name="mha")(x, x),
    "attention": lambda x: layers.Attention(name="mha")([x, x]),
    "attention_scaled": lambda x: layers.Attention(use_scale=True, name="mha")([x, x + 1, x]),
    "attention_causal": lambda x: layers.Attention(name="mha")([x, x], use_causal_mask=True),
    "additive": lambda x: layers.AdditiveAttention(name="mha")([x, x]),
}


@pytest.mark.parametrize("kind", ATTENTION)
def test_attention(kind: str) -> None:
    x = keras.Input((5, 6), name="x")
    graph = assert_captured(keras.Model(x, ATTENTION[kind](x)))
    assert list(graph.outputs.values()) == ["mha"]


def test_attention_scores_are_a_second_output() -> None:
    x = keras.Input((5, 6), name="x")
    y = layers.MultiHeadAttention(2, 3, name="mha")(x, x, return_attention_scores=True)
    graph = assert_captured(keras.Model(x, y))
    assert list(graph.outputs.values()) == ["mha", "mha:1"]


def test_attention_mask_input() -> None:
    x, mask = keras.Input((5, 6), name="x"), keras.Input((5, 5), dtype="bool", name="mask")
    y = layers.MultiHeadAttention(2, 3, name="mha")(x, x, attention_mask=mask)
    model = keras.Model([x, mask], y)
    assert_captured(model, inputs=[SEQUENCES, np.tril(np.ones((2, 5, 5), bool))])


def test_time_distributed_layer_and_model() -> None:
    x = keras.Input((4, 8, 8, 3))
    y = layers.TimeDistributed(block("frame"), name="frames")(x)
    y = layers.TimeDistributed(layers.Flatten(), name="flat")(y)
    y = layers.TimeDistributed(layers.Dense(2, name="fc"), name="each")(y)
    graph = assert_captured(keras.Model(x, y))
    assert [op.kind for op in graph.ops].count("conv_2d") == 1
    assert {"frames/frame/conv", "each"} <= set(graph.tensors)


def test_lambda_with_keras_operations() -> None:
    x = keras.Input((8, 8, 3))
    y = layers.Lambda(lambda t: ops.sqrt(ops.abs(t)) + 1, name="function")(x)
    assert "function" in assert_captured(keras.Model(x, y)).tensors


def test_activation_that_is_a_function_or_a_layer() -> None:
    x = keras.Input((6,))
    y = layers.Dense(4, activation=lambda t: ops.sin(t) * 2, name="a")(x)
    y = layers.Dense(4, activation=layers.LeakyReLU(0.1), name="b")(y)
    assert {"a", "b"} <= set(assert_captured(keras.Model(x, y)).tensors)


def test_subclass_of_a_keras_layer_is_traced() -> None:
    class Standardized(layers.Conv2D):
        def call(self, x: Any) -> Any:
            kernel = self.kernel - ops.mean(self.kernel, axis=(0, 1, 2))
            return ops.conv(x, kernel, padding="same") + self.bias

    x = keras.Input((8, 8, 3))
    graph = assert_captured(keras.Model(x, Standardized(4, 3, name="std")(x)))
    assert [op.kind for op in graph.ops] == ["conv_2d", "add"]


def test_traced_transposed_convolution() -> None:
    kernel = RNG.normal(size=(3, 3, 2, 3)).astype(np.float32)

    class Up(keras.Model):
        def call(self, x: Any) -> Any:
            return ops.conv_transpose(x, kernel, strides=2, padding="same")

    assert_traced(Up(), IMAGES)


def test_mixed_precision_is_float32_in_the_graph() -> None:
    x = keras.Input((6,), name="x")
    dense = layers.Dense(4, dtype="mixed_float16", name="fc")
    graph = capture(keras.Model(x, layers.Activation("relu", dtype="float32")(dense(x))))
    assert {t.dtype for t in graph.tensors.values()} == {"float32"}


def test_layer_that_cannot_be_traced_is_named() -> None:
    import tensorflow as tf

    class Fourier(layers.Layer):
        def call(self, x: Any) -> Any:
            return tf.math.real(tf.signal.fft(tf.cast(x, tf.complex64)))

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    x = keras.Input((8,), name="x")
    inner = keras.Sequential([layers.Dense(8), Fourier(name="spectrum")], name="inner")
    with pytest.raises(UnsupportedError) as caught:
        capture(keras.Model(x, inner(x)))
    assert "inner/spectrum: layer of class Fourier" in caught.value.message
    assert "CONTRIBUTING.md" in caught.value.hint


def test_text_input_is_refused() -> None:
    text = keras.Input((), dtype="string", name="text")
    model = keras.Model(text, layers.TextVectorization(vocabulary=["a", "b"])(text))
    with pytest.raises(UnsupportedError, match="input 'text' is of dtype string"):
        capture(model)


def test_training_on_purpose_is_refused() -> None:
    class Sampler(layers.Layer):
        def __init__(self) -> None:
            super().__init__(name="sampler")
            self.dropout = layers.Dropout(0.5, name="drop")

        def call(self, x: Any) -> Any:
            return self.dropout(x, training=True)

    x = keras.Input((8,))
    with pytest.raises(UnsupportedError, match="sampler/drop: Dropout is called with training"):
        capture(keras.Model(x, Sampler()(x)))


def test_weights_quantised_by_keras_are_refused() -> None:
    x = keras.Input((8,))
    model = keras.Model(x, layers.Dense(4, name="fc")(x))
    model.quantize("int8")
    with pytest.raises(UnsupportedError, match="fc: its weights are quantised by Keras"):
        capture(model)
