"""Which character comes next: textgenrnn (Woolf 2017, github.com/minimaxir/textgenrnn, MIT).

Two LSTMs of 128 units over the last 40 characters, an attention-weighted average over the steps
of the embedding and both LSTMs, 465 probabilities. The published weights come without the
architecture, and its LSTMs were cuDNN's; steps before the text's start are zeros, not masked.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

STEPS, CLASSES, EMBEDDING, UNITS = 40, 465, 100, 128
WEIGHTS, TEXTS, VOCABULARY = "hacker_news.hdf5", "hacker_news_2000.txt", "textgenrnn_vocab.json"
TOKEN = "<s>"
"""Stands before and behind each text."""
CALIBRATION_TITLES, TITLES = slice(1000, 1020), slice(0, 40)


def build_model(folder: Path) -> Any:
    """The published model in Keras 3: ids ``(batch, 40)`` → probabilities ``(batch, 465)``."""
    import h5py
    import keras

    from edgenn.frontend.loading.legacy_cudnn import from_cudnn

    class AttentionWeightedAverage(keras.layers.Layer):
        """Average over the steps, each weighted by the softmax of a linear function of it."""

        def build(self, shape: tuple[int | None, ...]) -> None:
            self.W = self.add_weight(shape=(shape[-1], 1), name="attention_W")

        def call(self, x: Any) -> Any:
            ops = keras.ops
            logits = ops.squeeze(ops.matmul(x, self.W), -1)
            weights = ops.exp(logits - ops.max(logits, axis=-1, keepdims=True))
            total = ops.sum(weights, axis=1, keepdims=True) + keras.config.epsilon()
            return ops.sum(x * ops.expand_dims(weights / total, -1), axis=1)

        def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return (shape[0], shape[2])

    model = _wired(keras, AttentionWeightedAverage(name="attention"))
    with h5py.File(folder / WEIGHTS) as file:
        for layer in model.layers:
            group = file[layer.name]
            values = [np.asarray(group[path][()]) for path in group.attrs["weight_names"]]
            if isinstance(layer, keras.layers.LSTM):
                values = list(from_cudnn(*values))
            layer.set_weights(values)
    return model


def build_witness(folder: Path) -> Any:
    """The same in tf_keras, which reads the weights by itself."""
    import tf_keras

    backend = tf_keras.backend

    class AttentionWeightedAverage(tf_keras.layers.Layer):
        """As published, but for its options."""

        def build(self, shape: Any) -> None:
            self.W = self.add_weight("attention_W", (shape[-1], 1))

        def call(self, x: Any) -> Any:
            shape = backend.shape(x)
            logits = backend.reshape(backend.dot(x, self.W), (shape[0], shape[1]))
            ai = backend.exp(logits - backend.max(logits, axis=-1, keepdims=True))
            att_weights = ai / (backend.sum(ai, axis=1, keepdims=True) + backend.epsilon())
            return backend.sum(x * backend.expand_dims(att_weights), axis=1)

    model = _wired(tf_keras, AttentionWeightedAverage(name="attention"))
    model.load_weights(folder / WEIGHTS, by_name=True)
    return model


def _wired(keras: Any, attention: Any) -> Any:
    layers = keras.layers
    inputs = keras.Input((STEPS,), name="input")
    embedded = layers.Embedding(CLASSES, EMBEDDING, name="embedding")(inputs)
    first = layers.LSTM(UNITS, return_sequences=True, name="rnn_1")(embedded)
    second = layers.LSTM(UNITS, return_sequences=True, name="rnn_2")(first)
    joined = layers.Concatenate(name="rnn_concat")([embedded, first, second])
    outputs = layers.Dense(CLASSES, activation="softmax", name="output")(attention(joined))
    return keras.Model(inputs, outputs, name="textgenrnn")


def windows(folder: Path, titles: slice) -> tuple[np.ndarray, np.ndarray]:
    """All steps of some titles: the ids before, ``(n, 40)`` float32; the id that follows."""
    vocabulary = json.loads((folder / VOCABULARY).read_text("utf-8"))
    texts = (folder / TEXTS).read_text("utf-8").splitlines()[1:][titles]  # a header comes first
    before, following = [], []
    for text in texts:
        ids = [vocabulary.get(token, 0) for token in (TOKEN, *text, TOKEN)]
        for end in range(1, len(ids)):
            if ids[end]:
                last = ids[max(0, end - STEPS) : end]
                before.append([0] * (STEPS - len(last)) + last)
                following.append(ids[end])
    return np.array(before, np.float32), np.array(following)


def load_data(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """``calibration`` and ``test``."""
    splits = {"calibration": CALIBRATION_TITLES, "test": TITLES}
    return {name: windows(folder, titles) for name, titles in splits.items()}


def bits_per_character(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Mean surprise at what really follows; an int8 probability may be zero."""
    probabilities = predictions[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log2(np.maximum(probabilities, 1e-9)).mean())
