"""Whole models of Keras 2, as HDF5 files and SavedModels, against tf_keras."""

import json

import h5py
import numpy as np
import pytest
import tensorflow as tf
from support.keras2 import assert_loads_equal, assert_same, randomise, tf_keras

from edgenn.errors import ModelFileError, UnsupportedError
from edgenn.frontend.keras_import import keras
from edgenn.frontend.loading import load_model

layers = tf_keras.layers


def conv_block(name, *, with_input):
    shape = {"input_shape": (8, 8, 3)} if with_input else {}
    return tf_keras.Sequential(
        [
            layers.Conv2D(4, 3, name=f"{name}_conv", **shape),
            layers.BatchNormalization(name=f"{name}_norm"),
            layers.Conv2D(4, 3, name=f"{name}_again"),
            layers.BatchNormalization(name=f"{name}_norm_again"),
        ],
        name=name,
    )


def depthwise():
    return tf_keras.Sequential(
        [
            tf_keras.Input((8, 8, 3)),
            layers.DepthwiseConv2D(3, name="expanded_conv/depthwise"),
            layers.BatchNormalization(),
            layers.Activation("hard_sigmoid"),
            layers.Flatten(),
            layers.Dense(5, "softmax", kernel_regularizer="l2", bias_constraint="non_neg"),
        ]
    )


def nested_sequential(*, with_input=True, frozen=()):
    block = conv_block("block", with_input=with_input)
    x = tf_keras.Input((8, 8, 3))
    y = layers.Dense(3)(layers.Flatten()(block(x)))
    model = tf_keras.Model(x, y)
    for name in frozen:
        (block if name == "block" else block.get_layer(name)).trainable = False
    return model


def nested_functional():
    a = tf_keras.Input((8, 8, 3))
    b = layers.Conv2D(3, 3, padding="same")(a)
    inner = tf_keras.Model(a, [layers.ReLU()(b), layers.BatchNormalization()(b)], name="inner")
    x = tf_keras.Input((8, 8, 3))
    first, second = inner(x)
    third, _ = inner(second, training=False)  # called twice: shared weights
    return tf_keras.Model(x, layers.Concatenate()([first, second, third]))


def nested_deep():
    base = nested_functional()
    top = tf_keras.Sequential([base, layers.GlobalAveragePooling2D()], name="top")
    x = tf_keras.Input((8, 8, 3))
    return tf_keras.Model(x, layers.Dense(4)(top(x)))


def shared_layer():
    a, b = tf_keras.Input((6,), name="a"), tf_keras.Input((6,), name="b")
    shared = layers.Dense(4, "tanh", name="shared")
    u, v = shared(a), shared(b)
    return tf_keras.Model([a, b], {"sum": layers.Add()([u, v]), "dot": layers.Dot(1, True)([u, v])})


def merges():
    a, b = tf_keras.Input((4, 6)), tf_keras.Input((4, 6))
    merged = [
        merge()([a, b])
        for merge in (
            layers.Add,
            layers.Subtract,
            layers.Multiply,
            layers.Average,
            layers.Maximum,
            layers.Minimum,
            layers.Concatenate,
        )
    ]
    return tf_keras.Model([a, b], layers.Concatenate()(merged))


def attention():
    a, b = tf_keras.Input((4, 6)), tf_keras.Input((5, 6))
    x = layers.MultiHeadAttention(2, 3, value_dim=4)(a, b, key=b)
    y = layers.Attention(use_scale=True)([a, b])
    z = layers.AdditiveAttention()([a, b])
    return tf_keras.Model([a, b], layers.Add()([x, y, z]))


def initial_state():
    a, h, c = tf_keras.Input((4, 6)), tf_keras.Input((5,)), tf_keras.Input((5,))
    return tf_keras.Model([a, h, c], layers.LSTM(5)(a, initial_state=[h, c]))


def tensorflow_functions():
    a, b = tf_keras.Input((8, 8, 3)), tf_keras.Input((8, 8, 3))
    x = tf.nn.relu6(tf.math.add(a, b) * 2.0)
    x = 3.0 - x / 2 + tf.nn.sigmoid(b)
    x = tf.concat([x, a], axis=-1)[:, 1:, ::2, ...]
    x = tf.nn.softmax(tf.reshape(x, [-1, 7 * 4, 6]))
    x = tf.squeeze(tf.expand_dims(x, 1), [1])
    x = tf.transpose(tf.stack([x, tf.clip_by_value(x, 0.1, 0.9)], 1), [0, 2, 1, 3])
    first, second = tf.split(x, 2, axis=-1)
    x = tf.pad(first, [[0, 0], [1, 1], [0, 0], [0, 0]]) ** 2
    y = tf.image.resize(tf.abs(second), (14, 4))
    mean = tf.reduce_mean(x, axis=[1, 2], keepdims=True)
    return tf_keras.Model([a, b], [-x, y[:, None, 0], tf.cast(mean, tf.float32)])


def tensorflow_activations():
    a = tf_keras.Input((8, 6))
    functions = [
        tf.nn.relu,
        tf.nn.leaky_relu,
        tf.nn.elu,
        tf.nn.selu,
        tf.nn.gelu,
        tf.nn.silu,
        tf.nn.softplus,
        tf.math.tanh,
        tf.math.exp,
        tf.math.square,
        tf.nn.log_softmax,
    ]
    sides = tf.linalg.matmul(a, a, transpose_b=True)
    return tf_keras.Model(
        a, [function(a) for function in functions] + [sides, tf.tile(a, [1, 2, 1])]
    )


def augmented():
    return tf_keras.Sequential(
        [
            tf_keras.Input((8, 8, 3)),
            tf_keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.2)], name="augment"),
            layers.Conv2D(2, 3),
        ]
    )


MODELS = {
    "depthwise": depthwise,
    "nested_sequential": nested_sequential,
    "nested_sequential_without_input": lambda: nested_sequential(with_input=False),
    "nested_frozen": lambda: nested_sequential(frozen=["block"]),
    "nested_partly_frozen": lambda: nested_sequential(frozen=["block_norm", "block_again"]),
    "nested_functional": nested_functional,
    "nested_deep": nested_deep,
    "shared_layer": shared_layer,
    "merges": merges,
    "attention": attention,
    "initial_state": initial_state,
    "tensorflow_functions": tensorflow_functions,
    "tensorflow_activations": tensorflow_activations,
    "augmented": augmented,
}


# Keras 2 cannot save an Ellipsis in .keras; the parts of MultiHeadAttention are not read from it.
NOT_IN_KERAS_ARCHIVES = {"tensorflow_functions", "attention"}
FILES = [
    (name, suffix)
    for name in MODELS
    for suffix in (".h5", ".keras", "")
    if not (suffix == ".keras" and name in NOT_IN_KERAS_ARCHIVES)
]


@pytest.mark.parametrize(("name", "suffix"), FILES)
def test_model_is_what_keras_2_saved(name, suffix, tmp_path):
    tf_keras.backend.clear_session()
    assert_loads_equal(MODELS[name](), tmp_path / f"model{suffix}")


def edit_config(path, change):
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(change(config)).encode()


@pytest.fixture
def saved(tmp_path):
    """Saves a model with random weights; gives the path."""

    def save(model, name="model.h5"):
        randomise(model)
        model.save(tmp_path / name)
        return tmp_path / name

    return save


def test_sequential_config_as_a_list(saved):
    """Keras 2.1: the configuration is the list, the input's shape stands at the first layer."""
    model = tf_keras.Sequential(
        [
            layers.LSTM(5, recurrent_activation="hard_sigmoid", input_shape=(6, 3)),
            layers.Dropout(0.2),
            layers.Dense(2),
        ]
    )
    path = saved(model)

    def as_keras_2_1(config):
        rest = config["config"]["layers"][1:]
        rest[0]["config"]["batch_input_shape"] = [None, 6, 3]
        return {"class_name": "Sequential", "config": rest}

    edit_config(path, as_keras_2_1)
    assert_same(load_model(path).model, model)


def test_batch_normalization_by_its_old_names(saved):
    model = tf_keras.Sequential([tf_keras.Input((6, 3)), layers.BatchNormalization(axis=[2])])
    path = saved(model)

    def old_name(config):
        entry = config["config"]["layers"][1]
        entry["class_name"] = "BatchNormalizationV1"
        entry["config"].update(renorm=False, virtual_batch_size=None, fused=True)
        return config

    edit_config(path, old_name)
    assert_same(load_model(path).model, model)


def test_gru_without_reset_after_in_its_config(saved):
    model = tf_keras.Sequential([tf_keras.Input((6, 3)), layers.GRU(4, reset_after=False)])
    path = saved(model)

    def without_key(config):
        del config["config"]["layers"][1]["config"]["reset_after"]
        return config

    edit_config(path, without_key)
    assert_same(load_model(path).model, model)


class Halve(tf_keras.constraints.Constraint):
    def __call__(self, w):
        return w / 2


def test_custom_constraint_is_training_matter(saved):
    model = tf_keras.Sequential(
        [tf_keras.Input((8, 8, 3)), layers.Conv2D(2, 3, kernel_constraint=Halve())]
    )
    assert_same(load_model(saved(model)).model, model)


class Scaled(tf_keras.layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight("factor", (input_shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.factor


class ScaledInKeras3(keras.layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(name="factor", shape=(input_shape[-1],))

    def call(self, x):
        return x * self.factor


@pytest.mark.parametrize("name", ["model.h5", "model"])
def test_custom_layer(saved, name):
    model = tf_keras.Sequential([tf_keras.Input((5,)), Scaled(name="scaled")])
    path = saved(model, name)
    loaded = load_model(path, custom_objects={"Scaled": ScaledInKeras3})
    assert_same(loaded.model, model)
    with pytest.raises(UnsupportedError, match=r"'scaled' \(Scaled\).*register_keras_serializable"):
        load_model(path)


@pytest.mark.parametrize("name", ["model.h5", "model"])
def test_lambda_is_run_only_when_allowed(saved, name):
    model = tf_keras.Sequential([tf_keras.Input((5,)), layers.Lambda(lambda x: x * 2 + 1)])
    path = saved(model, name)
    with pytest.raises(UnsupportedError, match=r"byte code.*--unsafe"):
        load_model(path)
    assert_same(load_model(path, unsafe=True).model, model)


def test_lambda_byte_code_of_another_python(saved):
    path = saved(tf_keras.Sequential([tf_keras.Input((5,)), layers.Lambda(lambda x: x * 2)]))

    def other_python(config):
        config["config"]["layers"][1]["config"]["function"][0] = "//8=\n"
        return config

    edit_config(path, other_python)
    with pytest.raises(ModelFileError, match="another Python version"):
        load_model(path, unsafe=True)


def triple(x):
    return x * 3


def test_lambda_of_a_named_function(saved):
    model = tf_keras.Sequential([tf_keras.Input((5,)), layers.Lambda(triple)])
    path = saved(model)

    def by_name(config):
        config["config"]["layers"][1]["config"].update(function="triple", function_type="function")
        return config

    edit_config(path, by_name)
    assert_same(load_model(path, custom_objects={"triple": triple}).model, model)
    with pytest.raises(UnsupportedError, match="'triple'"):
        load_model(path)


def test_unknown_tensorflow_function_is_named(saved):
    x = tf_keras.Input((5,))
    path = saved(tf_keras.Model(x, tf.math.lgamma(x, name="g")))
    with pytest.raises(UnsupportedError, match=r"tf\.math\.lgamma"):
        load_model(path)


def test_argument_without_a_translation_is_refused(saved):
    x = tf_keras.Input((5, 5, 2))
    path = saved(tf_keras.Model(x, tf.image.resize(x, (7, 7), method="lanczos3")))
    with pytest.raises(UnsupportedError, match=r"tf\.image\.resize.*lanczos3"):
        load_model(path)


@pytest.mark.parametrize(
    ("layer", "shape", "reason"),
    [
        (lambda: layers.LocallyConnected2D(2, 3), (6, 6, 2), "LocallyConnected2D"),
        (lambda: layers.BatchNormalization(axis=[1, 3]), (6, 6, 2), r"axis=\[1, 3\]"),
        (lambda: layers.LSTM(2, time_major=True), (6, 2), "time_major"),
    ],
)
def test_what_keras_3_has_no_equal_for_is_refused(saved, layer, shape, reason):
    path = saved(tf_keras.Sequential([tf_keras.Input(shape), layer()]))
    with pytest.raises(UnsupportedError, match=reason):
        load_model(path)


def test_call_in_training_mode_is_refused(saved):
    x = tf_keras.Input((5,))
    path = saved(tf_keras.Model(x, layers.Dropout(0.5)(x, training=True)))
    with pytest.raises(UnsupportedError, match="training=True"):
        load_model(path)


def small():
    return tf_keras.Sequential([tf_keras.Input((5,)), layers.Dense(4), layers.Dense(4)])


def rename_weight(weights):
    names = weights["dense"].attrs["weight_names"]
    weights["dense"].attrs["weight_names"] = names[::-1]


def drop_weight(weights):
    weights["dense"].attrs["weight_names"] = weights["dense"].attrs["weight_names"][:1]


def drop_layer(weights):
    weights.attrs["layer_names"] = weights.attrs["layer_names"][:1]


def swap_layers(weights):
    weights.attrs["layer_names"] = weights.attrs["layer_names"][::-1]


def cut_weight(weights):
    path = "dense/dense/bias:0" if "dense/dense/bias:0" in weights else "dense/bias:0"
    values = weights[path][:-1]
    del weights[path]
    weights[path] = values


@pytest.mark.parametrize(
    "damage", [rename_weight, drop_weight, drop_layer, swap_layers, cut_weight]
)
def test_weights_that_do_not_fit_are_an_error(saved, damage):
    tf_keras.backend.clear_session()
    path = saved(small())
    with h5py.File(path, "r+") as file:
        damage(file["model_weights"])
    with pytest.raises(ModelFileError, match="weights and model do not fit"):
        load_model(path)


@pytest.mark.parametrize(("key", "value"), [("backend", b"theano"), ("keras_version", b"1.2.2")])
def test_other_weight_layouts_are_refused(saved, key, value):
    path = saved(small())
    with h5py.File(path, "r+") as file:
        file.attrs[key] = value
    with pytest.raises(UnsupportedError, match=value.decode()):
        load_model(path)


def test_keras_archive_with_weights_in_several_parts_is_refused(saved):
    x = tf_keras.Input((5, 2))
    model = tf_keras.Model(x, layers.MultiHeadAttention(2, 3)(x, x))
    with pytest.raises(UnsupportedError, match=r"several parts.*\.h5"):
        load_model(saved(model, "model.keras"))


def test_savedmodel_without_keras_metadata(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x: x * 2, input_signature=[tf.TensorSpec([None, 3])])
    tf.saved_model.save(module, str(tmp_path / "plain"))
    with pytest.raises(ModelFileError, match="without Keras metadata"):
        load_model(tmp_path / "plain")


def test_savedmodel_of_a_subclass_is_refused(tmp_path):
    class Subclass(tf_keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Subclass()
    model(np.zeros((1, 3), np.float32))
    model.save(tmp_path / "subclass")
    with pytest.raises(UnsupportedError, match="class 'Subclass'"):
        load_model(tmp_path / "subclass")
