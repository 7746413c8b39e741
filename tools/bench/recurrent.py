"""What the benchmarks of recurrent layers share: one layer's model, and the files it becomes.

The stock converters crash on some recurrent models, so each of them works in a child process:

    python tools/bench/recurrent.py STOCK FILE    (STOCK: see the functions in ``STOCK``)
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import numpy as np

STEPS, FEATURES, UNITS = 49, 40, 64
CALIBRATION, SAMPLES = 100, 200
GATES = {"LSTM": 4, "GRU": 3}


def layer_weights(cell: str) -> list[np.ndarray]:
    """Seeded weights as Keras starts with them, and biases as training leaves them."""
    rng = np.random.default_rng(17)
    gates = GATES[cell]
    limit = np.sqrt(6 / (FEATURES + gates * UNITS))
    kernel = rng.uniform(-limit, limit, (FEATURES, gates * UNITS))
    recurrent, _ = np.linalg.qr(rng.normal(size=(gates * UNITS, UNITS)))
    biases = rng.normal(0, 0.1, (2, gates * UNITS))
    if cell == "LSTM":
        biases[0, UNITS : 2 * UNITS] += 1  # the forget gate
    bias = biases if cell == "GRU" else biases[0]
    return [array.astype(np.float32) for array in (kernel, recurrent.T, bias)]


def layer_model(cell: str, *, library: str = "keras", batch: int | None = None) -> Any:
    """One layer over ``(batch, 49, 40)`` → its last output, ``(batch, 64)``.

    Args:
        cell: ``LSTM`` or ``GRU``.
        library: ``keras`` (version 3) or ``tf_keras`` (version 2); the weights are the same.
        batch: Open by default.
    """
    keras = __import__(library)
    inputs = keras.Input((STEPS, FEATURES), batch_size=batch, name="features")
    model = keras.Model(inputs, getattr(keras.layers, cell)(UNITS, name="rnn")(inputs))
    model.set_weights(layer_weights(cell))
    return model


def samples() -> tuple[np.ndarray, np.ndarray]:
    """→ calibration and evaluation sequences, float32."""
    values = np.random.default_rng(18).normal(size=(CALIBRATION + SAMPLES, STEPS, FEATURES))
    values = values.astype(np.float32)
    return values[:CALIBRATION], values[CALIBRATION:]


def fused_lstm_int8() -> bytes:
    """tf_keras's LSTM as UNIDIRECTIONAL_SEQUENCE_LSTM, full integer."""
    model = layer_model("LSTM", library="tf_keras", batch=1)
    return common.stock_convert(model, "int8", samples()[0])


def while_gru_float32() -> bytes:
    """Keras 3's GRU as WHILE; with an open batch the converter fails."""
    return common.stock_convert(layer_model("GRU", batch=1))


def exported_gru_onnx() -> bytes:
    """What ``model.export(format="onnx")`` of Keras 3 makes of a GRU: a Loop."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gru.onnx"
        model = layer_model("GRU")
        model(np.zeros((1, STEPS, FEATURES), np.float32))  # Keras exports what has been called
        model.export(path, format="onnx", verbose=False)
        return path.read_bytes()


STOCK: dict[str, Callable[[], bytes]] = {
    function.__name__: function
    for function in (fused_lstm_int8, while_gru_float32, exported_gru_onnx)
}


class ConversionError(Exception):
    """A converter failed or crashed; the message says how."""


def by_stock(name: str) -> bytes:
    """The file that one of ``STOCK`` makes, in a child process.

    Raises:
        ConversionError: It failed or crashed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        command = [sys.executable, __file__, name, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode < 0:
            raise ConversionError(f"crashed: signal {-done.returncode}")
        if done.returncode > 0:
            raise ConversionError(done.stderr.strip().splitlines()[-1])
        return path.read_bytes()


def by_edgenn(
    model: Any, scheme: str, format_: str, *, border: str = "float32", **options: Any
) -> bytes:
    """The file that edgenn makes; ``border`` is the dtype of int8's in- and outputs."""
    import edgenn

    calibration = samples()[0] if scheme == "int8" else None
    with tempfile.TemporaryDirectory() as folder:
        bundle = edgenn.convert(
            model,
            f"{folder}/bundle",
            formats=(format_,),
            quantize=(scheme,),
            calibration=calibration,
            io=border if scheme == "int8" else None,
            **options,
        )
        (name,) = bundle.artifacts
        return bytes(bundle.file(name).read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stock", choices=sorted(STOCK))
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    arguments.file.write_bytes(STOCK[arguments.stock]())


if __name__ == "__main__":
    main()
