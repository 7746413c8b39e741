"""hls4ml files of models, as a conversion writes them, and models that have every layer."""

from collections.abc import Mapping
from typing import Any

import keras
import pytest
from keras import layers

from edgenn import compiler
from edgenn.batches import Samples, batches
from edgenn.errors import UnavailableError
from edgenn.export.hls4ml.exporter import to_hls4ml
from edgenn.ir.flat_loops import open_loops
from edgenn.ir.graph import Graph
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.progress import silent
from edgenn.quantization.fixed16 import with_fixed_formats
from edgenn.runners.calibration import collect_statistics
from edgenn.runners.hls4ml import Hls4mlRunner


def require_hls4ml() -> None:
    """Skips a test where hls4ml or a compiler is missing."""
    try:
        Hls4mlRunner().require_available()
    except UnavailableError as error:
        pytest.skip(str(error))


def calibrated(graph: Graph, samples: Samples) -> Graph:
    """The float graph with the formats that its ranges ask for."""
    flat = open_loops(to_loops(graph))
    statistics = collect_statistics(flat, batches(flat, samples, silent), compiler.to_tflite_bytes)
    return with_fixed_formats(graph, flat, statistics)


def fixed16(model: Any, samples: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of a Keras model's file; not calibrated without samples."""
    graph = compiler.graph_of(model)
    return to_hls4ml(calibrated(graph, samples) if samples is not None else graph)


def many_layers() -> keras.Model:
    """One output for each layer that hls4ml has and that only its parallel form has."""
    keras.utils.set_random_seed(5)
    image = keras.Input((6, 6, 3), name="image")
    steps = keras.Input((5, 4), name="steps")
    words = keras.Input((5,), dtype="int32", name="words")
    maps = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(image)
    deep = layers.DepthwiseConv2D(3, strides=2, padding="same", name="depthwise")(maps)
    bounded = layers.ReLU(6.0, name="relu6")(deep * 20.0)
    pooled = layers.MaxPooling2D(3, strides=2, padding="same", name="max_pool")(maps)
    mean = layers.AveragePooling2D(3, strides=2, padding="same", name="average_pool")(maps)
    squeezed = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(maps)
    gate = layers.Dense(4, activation="sigmoid", name="gate")(squeezed)
    best = layers.GlobalMaxPooling2D(name="best")(maps)
    filtered = layers.Conv1D(3, 3, padding="causal", name="conv_1d")(steps)
    outputs = {
        "relu6_out": bounded,
        "max_pool_out": layers.Flatten()(pooled),
        "average_pool_out": mean,
        "excited": layers.Multiply()([maps, gate]),
        "joined": layers.Concatenate(axis=-1)([pooled, mean, bounded]),
        "joined_rows": layers.Concatenate(axis=1)([pooled, mean]),
        "turned": layers.Permute((3, 1, 2))(pooled),
        "padded": layers.ZeroPadding2D(((1, 0), (0, 2)))(pooled),
        "cut": layers.Cropping2D(((1, 0), (0, 1)))(pooled),
        "larger": layers.UpSampling2D(2)(mean),
        "leaky": layers.LeakyReLU(0.2)(best - 0.4),
        "prelu": layers.PReLU(alpha_initializer="uniform", shared_axes=[1])(steps),
        "elu": layers.ELU()(steps),
        "softmax": layers.Softmax()(steps),
        "tanh": layers.Activation("tanh")(filtered),
        "normal": layers.BatchNormalization(moving_mean_initializer="ones")(best),
        "difference": layers.Subtract()([pooled, mean]),
        "larger_one": layers.Maximum()([pooled, mean]),
        "from_constant": 1.5 - best,
        "mean_step": layers.GlobalAveragePooling1D()(steps),
        "last_step": filtered[:, -1, :],
        "embedded": layers.Embedding(7, 3)(words),
        "dense": layers.Dense(3, name="dense")(layers.Reshape((12,))(bounded[:, :, 0:1, :])),
    }
    return keras.Model([image, steps, words], outputs, name="many_layers")


def streaming_layers() -> keras.Model:
    """A network whose layers all stream."""
    keras.utils.set_random_seed(6)
    image = keras.Input((12, 12, 2), name="image")
    x = layers.Conv2D(4, (3, 1), strides=(2, 1), padding="same", name="conv")(image)
    x = layers.Activation("sigmoid", name="gate")(x)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depthwise")(x)
    y = layers.Conv2D(4, 1, name="pointwise")(x)
    y = layers.ReLU(6.0, name="relu6")(y * 30.0) / 30.0
    x = layers.Add(name="add")([x, y])
    z = layers.LeakyReLU(0.2, name="leaky")(y - 0.5)
    x = layers.Concatenate(name="channels")([x, layers.ELU(name="elu")(z * 4.0)])
    x = layers.Concatenate(axis=1, name="rows")([x, x[:, 1:5]])
    x = layers.Concatenate(axis=2, name="columns")([x, x[:, :, 2:8]])
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.UpSampling2D(2, name="larger")(x)
    mean = layers.GlobalAveragePooling2D(name="mean")(x)
    steps = layers.Reshape((10, 144), name="steps")(x)
    sequence = layers.GRU(5, return_sequences=True, name="gru")(steps)
    flat = layers.Concatenate(name="all")([layers.Flatten(name="flat")(sequence), mean])
    return keras.Model(image, layers.Dense(3, activation="softmax", name="out")(flat))


def recurrent_layers() -> keras.Model:
    """LSTM and GRU, as sequences and as last steps, in one direction and in both."""
    keras.utils.set_random_seed(7)
    steps = keras.Input((16, 3), name="steps")
    lstm = layers.LSTM(16, return_sequences=True, name="lstm")(steps)
    gru = layers.GRU(8, return_sequences=True, name="gru")(lstm)
    tiny = keras.initializers.Constant(0.01)
    faint = layers.GRU(3, kernel_initializer=tiny, recurrent_initializer=tiny, name="faint")(steps)
    both = layers.Bidirectional(layers.LSTM(5, return_sequences=True), name="both")(steps)
    return keras.Model(
        steps,
        {
            "sequence": layers.Dense(2, name="each_step")(gru),
            "last": layers.LSTM(6, activation="relu", name="last_lstm")(lstm),
            "faint": faint,
            "both_ways": both,
            "both_ends": layers.Bidirectional(layers.GRU(4), name="both_ends")(both),
            "last_gru": layers.GRU(6, name="last_gru_layer")(gru),
        },
        name="recurrent_layers",
    )
