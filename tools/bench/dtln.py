"""Speech without its noise, frame by frame: DTLN (Westhausen and Meyer 2020, arXiv 2005.07551).

Two stages of two LSTMs with 128 units and a mask each, the first on spectral magnitudes, the
second on frames in a learned basis. The architecture is that of github.com/breizhn/DTLN (MIT),
rebuilt in Keras 3; the weights are those of its published ONNX files, which make one step and
take and give the states: they are the witness for streaming.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FRAME, HOP, RATE = 512, 128, 16000
BINS, BASIS, UNITS, LAYERS = FRAME // 2 + 1, 256, 128, 2
STAGES: dict[int, int] = {1: BINS, 2: FRAME}
"""Width of each stage's input."""
Weights = dict[str, np.ndarray]


def file_of(stage: int) -> str:
    return f"model_{stage}.onnx"


def build_model(folder: Path, stage: int, *, stateful: bool, steps: int | None = None) -> Any:
    """One stage: ``(1, steps, 257)`` magnitudes → a mask; ``(1, steps, 512)`` frames → frames.

    Args:
        folder: Where the ONNX files are.
        stage: 1 or 2.
        stateful: The LSTMs go on where the last call ended.
        steps: Frames of one call; open by default.
    """
    import keras

    keras.backend.clear_session()  # the layers are called the same every time
    layers = keras.layers
    inputs = keras.Input(batch_shape=(1, steps, STAGES[stage]), name="frames")
    encoded = x = inputs
    if stage == 2:
        encoded = layers.Conv1D(BASIS, 1, use_bias=False, name="encoder")(inputs)
        x = layers.LayerNormalization(epsilon=1e-7, name="norm")(encoded)
    for number in range(1, LAYERS + 1):
        x = layers.LSTM(UNITS, return_sequences=True, stateful=stateful, name=f"lstm_{number}")(x)
    width = BINS if stage == 1 else BASIS
    x = layers.Dense(width, activation="sigmoid", name="mask")(x)
    if stage == 2:
        x = layers.Multiply(name="masked")([encoded, x])
        x = layers.Conv1D(FRAME, 1, use_bias=False, name="decoder")(x)
    model = keras.Model(inputs, x, name=f"dtln_{stage}")
    for name, values in _WEIGHTS[stage](_initializers(folder / file_of(stage))).items():
        model.get_layer(name).set_weights(values)
    return model


def _initializers(path: Path) -> Weights:
    import onnx

    model = onnx.load(path)
    return {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}


def _first_stage(weights: Weights) -> dict[str, list[np.ndarray]]:
    """ONNX's LSTMs have their gates in the order i o f c, Keras's i f c o."""

    def columns(name: str) -> np.ndarray:
        i, o, f, c = np.split(weights[name][0], 4)
        return np.concatenate([i, f, c, o]).T

    def lstm(number: int) -> list[np.ndarray]:
        w, r = weights[f"lstm_{number}_B"][0].reshape(2, 4 * UNITS)
        i, o, f, c = np.split(w + r, 4)
        bias = np.concatenate([i, f, c, o])
        return [columns(f"lstm_{number}_W"), columns(f"lstm_{number}_R"), bias]

    return {
        "lstm_1": lstm(4),
        "lstm_2": lstm(5),
        "mask": [weights["dense_2/kernel:0"], weights["dense_2/bias:0"]],
    }


def _second_stage(weights: Weights) -> dict[str, list[np.ndarray]]:
    """Here the LSTMs are written out as Keras's own products."""

    def read(path: str) -> np.ndarray:
        return weights[f"model_2/{path}/ReadVariableOp/resource:0"]

    def lstm(number: int) -> list[np.ndarray]:
        return [read(f"lstm_{number}/{part}") for part in ("MatMul", "MatMul_1", "BiasAdd")]

    norm = "instant_layer_normalization_1"
    return {
        "encoder": [weights["conv1d_2/kernel:0"].transpose(2, 1, 0)],
        "norm": [read(f"{norm}/mul"), read(f"{norm}/add_1")],
        "lstm_1": lstm(6),
        "lstm_2": lstm(7),
        "mask": [weights["model_2/dense_3/Tensordot/Reshape_1:0"], read("dense_3/BiasAdd")],
        "decoder": [weights["conv1d_3/kernel:0"].transpose(2, 1, 0)],
    }


_WEIGHTS: dict[int, Callable[[Weights], dict[str, list[np.ndarray]]]] = {
    1: _first_stage,
    2: _second_stage,
}


def published_stream(folder: Path, stage: int, frames: np.ndarray) -> np.ndarray:
    """What the published file says to one frame ``(1, width)`` after another."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(folder / file_of(stage)), providers=["CPUExecutionProvider"]
    )
    names = [item.name for item in session.get_inputs()]
    states = np.zeros((1, LAYERS, UNITS, 2), np.float32)
    rows = []
    for frame in frames:
        row, states = session.run(None, dict(zip(names, (frame[None, None], states), strict=True)))
        rows.append(row[0, 0])
    return np.stack(rows)


def noisy_frames(count: int, seed: int = 0) -> np.ndarray:
    """``(count, 512)``: gliding harmonic tones that come and go, under white noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(FRAME + HOP * (count - 1)) / RATE
    pitch = 140 + 40 * np.sin(2 * np.pi * 0.7 * time + rng.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 20))
    loudness = np.maximum(0, np.sin(2 * np.pi * 2.3 * time + rng.uniform(0, 6)))
    signal = 0.1 * voice * loudness + 0.02 * rng.normal(size=len(time))
    starts = HOP * np.arange(count)[:, None]
    return signal[starts + np.arange(FRAME)].astype(np.float32)


def inputs_of(stage: int, count: int, seed: int = 0) -> np.ndarray:
    """``(count, width)``, what the stage is given: magnitudes, or frames."""
    frames = noisy_frames(count, seed)
    return np.abs(np.fft.rfft(frames)).astype(np.float32) if stage == 1 else frames
