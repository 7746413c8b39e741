"""Recurrent layers of Keras 2 in every format and combination, against tf_keras."""

import io
import zipfile

import h5py
import numpy as np
import pytest
import tensorflow as tf
from support.keras2 import assert_loads_equal, assert_same, randomise, samples, tf_keras

from edgenn.frontend.loading import load_model
from edgenn.frontend.loading.legacy_cudnn import from_cudnn, is_of_cudnn

layers = tf_keras.layers
cudnn_lstm, cudnn_gru = tf_keras.src.layers.CuDNNLSTM, tf_keras.src.layers.CuDNNGRU

SERIES = (7, 6)
VIDEO = (3, 8, 8, 2)


def sequential(*stack, shape=SERIES, batch=None):
    return tf_keras.Sequential([tf_keras.Input(shape, batch_size=batch), *stack])


def bidirectional_states():
    a, b = tf_keras.Input((4, 6)), tf_keras.Input((3, 6))
    encoder = layers.LSTM(5, return_state=True, return_sequences=True)
    outputs = layers.Bidirectional(encoder)(a)
    decoded = layers.Bidirectional(layers.LSTM(5))(b, initial_state=outputs[1:])
    return tf_keras.Model([a, b], [decoded, *outputs])


def bidirectional_pair():
    a = tf_keras.Input((4, 6))
    return tf_keras.Model(a, layers.Bidirectional(layers.GRU(5), merge_mode=None)(a))


def sequence_to_sequence():
    a, b = tf_keras.Input((4, 6)), tf_keras.Input((3, 6))
    _, h, c = layers.LSTM(5, return_state=True)(a)
    y = layers.LSTM(5, return_sequences=True, name="decoder_lstm")(b, initial_state=[h, c])
    return tf_keras.Model([a, b], layers.TimeDistributed(layers.Dense(3))(y))


def initial_states():
    a, h, c = tf_keras.Input((4, 6)), tf_keras.Input((5,)), tf_keras.Input((5,))
    cell = layers.RNN(layers.LSTMCell(5), return_state=True)(a, initial_state=[h, c])
    gru = layers.GRU(5, return_state=True)(a, initial_state=h)
    return tf_keras.Model([a, h, c], [*cell, *gru])


def computed_mask():
    a = tf_keras.Input((9, 6))
    kept = layers.Reshape((9,))(layers.Dense(1, "relu")(a))
    return tf_keras.Model(a, layers.LSTM(5)(a, mask=tf.cast(kept, "bool")))


def convolutional_states():
    a = tf_keras.Input(VIDEO)
    layer = layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True, return_state=True)
    return tf_keras.Model(a, layer(a))


MODELS = {
    "stateful": lambda: sequential(
        layers.LSTM(5, stateful=True, return_sequences=True),
        layers.Bidirectional(layers.GRU(4, stateful=True)),
        batch=2,
    ),
    "without_bias": lambda: sequential(
        layers.LSTM(5, use_bias=False, return_sequences=True),
        layers.GRU(4, use_bias=False, return_sequences=True),
        layers.SimpleRNN(4, use_bias=False, activation="relu"),
    ),
    "zeros_for_masked_steps": lambda: sequential(
        layers.Embedding(11, 5, mask_zero=True),
        layers.RNN(layers.GRUCell(4), return_sequences=True),
        layers.LSTM(5, return_sequences=True, zero_output_for_mask=True),
        shape=(11,),
    ),
    "embedding_mask": lambda: sequential(
        layers.Embedding(11, 5, mask_zero=True),
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.Bidirectional(layers.GRU(4)),
        shape=(11,),
    ),
    "bidirectional_states": bidirectional_states,
    "bidirectional_pair": bidirectional_pair,
    "bidirectional_of_two_kinds": lambda: sequential(
        layers.Bidirectional(
            layers.LSTM(5), backward_layer=layers.GRU(5, go_backwards=True), merge_mode="mul"
        )
    ),
    "bidirectional_in_time_distributed": lambda: sequential(
        layers.TimeDistributed(layers.Bidirectional(layers.LSTM(4))), shape=(3, *SERIES)
    ),
    "sequence_to_sequence": sequence_to_sequence,
    "initial_states": initial_states,
    "computed_mask": computed_mask,
    "cells": lambda: sequential(
        layers.RNN(layers.LSTMCell(5), return_sequences=True),
        layers.RNN(
            layers.GRUCell(5, reset_after=False, recurrent_activation="hard_sigmoid"),
            return_sequences=True,
        ),
        layers.Bidirectional(layers.RNN(layers.SimpleRNNCell(5))),
    ),
    "stacked_cells": lambda: sequential(
        layers.RNN(
            layers.StackedRNNCells(
                [layers.LSTMCell(6), layers.GRUCell(4), layers.SimpleRNNCell(6), layers.LSTMCell(6)]
            )
        )
    ),
    "convolutional": lambda: sequential(
        layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True, go_backwards=True),
        layers.ConvLSTM2D(2, 3, strides=2, recurrent_activation="hard_sigmoid"),
        shape=VIDEO,
    ),
    "convolutional_1d": lambda: sequential(layers.ConvLSTM1D(3, 3), shape=(3, 8, 2)),
    "convolutional_3d": lambda: sequential(
        layers.ConvLSTM3D(3, 3, use_bias=False), shape=(3, 5, 5, 5, 2)
    ),
    "convolutional_both_ways": lambda: sequential(
        layers.Bidirectional(layers.ConvLSTM2D(3, 3)), shape=VIDEO
    ),
    "convolutional_states": convolutional_states,
    # The order of the weights in the file depends on what is frozen, and the shapes are the same.
    "frozen_bidirectional": lambda: sequential(
        layers.Bidirectional(
            layers.LSTM(5, trainable=False), backward_layer=layers.LSTM(5, go_backwards=True)
        )
    ),
    "frozen_cell": lambda: sequential(
        layers.RNN([layers.LSTMCell(6, trainable=False), layers.LSTMCell(6)])
    ),
}


@pytest.mark.parametrize("suffix", [".h5", ".keras", ""])
@pytest.mark.parametrize("name", MODELS)
def test_recurrent_model_is_what_keras_2_saved(name, suffix, tmp_path):
    tf_keras.backend.clear_session()
    assert_loads_equal(MODELS[name](), tmp_path / f"model{suffix}")


def test_the_samples_of_masked_models_have_masked_steps():
    for name in ("zeros_for_masked_steps", "embedding_mask"):
        (x,) = samples(MODELS[name]())
        assert (x == 0).any(axis=1).all()


def test_groups_as_older_versions_of_keras_2_called_them(tmp_path):
    """Keras 2.12 made ``conv_lst_m2d`` of ConvLSTM2D."""
    tf_keras.backend.clear_session()
    model = sequential(layers.ConvLSTM2D(3, 3), shape=VIDEO)
    randomise(model)
    model.save(tmp_path / "new.keras")
    with zipfile.ZipFile(tmp_path / "new.keras") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(contents["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        file["layers"].move("conv_lstm2d", "conv_lst_m2d")
    contents["model.weights.h5"] = weights.getvalue()
    with zipfile.ZipFile(tmp_path / "old.keras", "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    assert_same(load_model(tmp_path / "old.keras").model, model)


CUDNN_MODELS = {
    "lstm": lambda lstm, gru: sequential(lstm(5, return_sequences=True), lstm(4)),
    "gru": lambda lstm, gru: sequential(gru(5, return_sequences=True), gru(4, go_backwards=True)),
    "bidirectional": lambda lstm, gru: sequential(
        layers.Bidirectional(lstm(5, return_sequences=True)),
        layers.Bidirectional(gru(4), merge_mode="sum"),
    ),
}


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("name", CUDNN_MODELS)
def test_layers_of_cudnn(name, suffix, tmp_path):
    """They run on GPUs only; the witness is what tf_keras itself reads from the weights."""
    make = CUDNN_MODELS[name]
    tf_keras.backend.clear_session()
    model = make(cudnn_lstm, cudnn_gru)
    randomise(model)
    model.save(tmp_path / f"model{suffix}")
    model.save_weights(tmp_path / "weights.h5")
    witness = make(layers.LSTM, layers.GRU)
    witness.load_weights(tmp_path / "weights.h5")
    assert_same(load_model(tmp_path / f"model{suffix}").model, witness)


def test_only_biases_of_cudnn_are_taken_for_such():
    kernel, lstm, gru = np.zeros((3, 8)), np.zeros((2, 8)), np.zeros((2, 6))
    assert is_of_cudnn(kernel, lstm, np.zeros(16))
    assert is_of_cudnn(np.zeros((3, 6)), gru, np.zeros(12))
    assert not is_of_cudnn(kernel, lstm, np.zeros(8))
    assert not is_of_cudnn(np.zeros((3, 6)), gru, np.zeros((2, 6)))
    assert not is_of_cudnn(kernel, np.zeros((4, 8)), np.zeros(16))
    assert not is_of_cudnn(np.zeros((3, 3, 2, 8)), np.zeros((3, 3, 2, 8)), np.zeros(16))


def test_cudnn_keeps_both_biases_of_a_gru_and_adds_those_of_an_lstm():
    bias = np.arange(12.0)
    _, _, biases = from_cudnn(np.zeros((3, 6)), np.zeros((2, 6)), bias)
    np.testing.assert_array_equal(biases, bias.reshape(2, 6))
    bias = np.arange(16.0)
    _, _, biases = from_cudnn(np.zeros((3, 8)), np.zeros((2, 8)), bias)
    np.testing.assert_array_equal(biases, bias[:8] + bias[8:])
