"""Real trained recurrent models: float fidelity, int8 drift in the units of their tasks, streams.

- textgenrnn (two cuDNN LSTMs, attention): bits per character against tf_keras;
- traffic (two LSTMs of Keras 2.1): mean absolute error in vehicles;
- DTLN (two stages of two LSTMs): frame by frame against the published ONNX files.

    python tools/bench/recurrent_real_models.py [--only text traffic dtln]
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import dtln
import numpy as np
import textgenrnn
import traffic

import edgenn

FILES = (("float32", "tflite"), ("float32", "onnx"), ("int8", "tflite"), ("int8", "onnx"))
FRAMES = 1000
INT8_BITS = 1.01
"""Bits per character in int8, as a multiple of the float model's, that are still good."""
Row = dict[str, Any]


Run = Callable[[Any], np.ndarray]
"""Runs a session on all samples."""


def sample_by_sample(x: np.ndarray) -> Run:
    return lambda session: np.concatenate([session.run(sample[None]) for sample in x])


def frame_by_frame(x: np.ndarray) -> Run:
    """One sequence ``(steps, …)`` as a stream of chunks of one step."""

    def run(session: Any) -> np.ndarray:
        stream = session.stream()
        return np.concatenate([stream.run(frame[None, None])[0] for frame in x])

    return run


def outputs(model: Any, calibration: np.ndarray, run: Run) -> dict[str, np.ndarray]:
    """What each file says, by ``scheme_format``."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = edgenn.convert(
            model,
            Path(folder) / "bundle",
            quantize=("float32", "int8"),
            calibration=calibration,
            io="float32",
            name="model",
        )
        results = {}
        for scheme, format_ in FILES:
            with edgenn.Session(bundle.file(f"model.{scheme}.{format_}")) as session:
                results[f"{scheme}_{format_}"] = run(session)
    return results


def max_abs(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max())


def text(folder: Path) -> Row:
    data = textgenrnn.load_data(folder)
    x, labels = data["test"]
    witness = textgenrnn.build_witness(folder).predict(x, batch_size=256, verbose=0)
    model = textgenrnn.build_model(folder)
    results = outputs(model, data["calibration"][0], sample_by_sample(x))
    row: Row = {
        "samples": len(x),
        "bits_per_character": textgenrnn.bits_per_character(witness, labels),
        "keras_3_max_abs": max_abs(model.predict(x, batch_size=256, verbose=0), witness),
    }
    for name, result in results.items():
        row[f"{name}_max_abs"] = max_abs(result, witness)
        row[f"{name}_bits_per_character"] = textgenrnn.bits_per_character(result, labels)
        row[f"{name}_top1_agreement_percent"] = common.agreement(result, witness)
    row["bars"] = {
        "Keras 3 as tf_keras": row["keras_3_max_abs"] <= 1e-5,
        "float32 TFLite within 1e-5": row["float32_tflite_max_abs"] <= 1e-5,
        "float32 ONNX within 1e-5": row["float32_onnx_max_abs"] <= 1e-5,
    }
    most = INT8_BITS * row["bits_per_character"]
    for format_ in ("tflite", "onnx"):
        reached = row[f"int8_{format_}_bits_per_character"] <= most
        row["bars"][f"{format_} int8 bits per character within 1 %"] = reached
    return row


def vehicles(folder: Path) -> Row:
    data = traffic.load(folder)
    results = outputs(folder / traffic.FILE, data.calibration, sample_by_sample(data.x))
    row: Row = {
        "samples": len(data.x),
        "keras_2_mean_error": float(np.abs(data.keras_2 - data.vehicles).mean()),
    }
    for name, result in results.items():
        row[f"{name}_mean_error"] = data.mean_error(result)
        row[f"{name}_max_abs"] = max_abs(data.to_vehicles(result), data.keras_2)
    bars = {}
    for format_ in ("tflite", "onnx"):
        float_error, int8_error = (row[f"{s}_{format_}_mean_error"] for s in ("float32", "int8"))
        bars |= {
            f"{format_} float32 MAE 7.216 ± 0.001": abs(float_error - traffic.KERAS_2_MAE) <= 1e-3,
            f"{format_} int8 MAE within 1 %": int8_error <= 1.01 * float_error,
            f"{format_} int8 at most 5 vehicles off": row[f"int8_{format_}_max_abs"] <= 5,
        }
    return row | {"bars": bars}


def speech(folder: Path) -> Row:
    """Both stages against the published files: all frames at once, and as a stream."""
    row: Row = {"frames": FRAMES, "bars": {}}
    for stage in dtln.STAGES:
        x = dtln.inputs_of(stage, FRAMES)
        calibration = dtln.inputs_of(stage, FRAMES, seed=1)[None]
        published = dtln.published_stream(folder, stage, x)
        batch = outputs(
            dtln.build_model(folder, stage, stateful=False), calibration, sample_by_sample(x[None])
        )
        stream = outputs(
            dtln.build_model(folder, stage, stateful=True), calibration, frame_by_frame(x)
        )
        for name, result in stream.items():
            row[f"stage_{stage}_{name}_rmse"] = common.rmse(result, published)
            row[f"stage_{stage}_{name}_max_abs"] = max_abs(result, published)
            off = np.abs(result - batch[name][0])
            share = float((off > 1e-5).mean())
            row[f"stage_{stage}_{name}_stream_max_abs"] = float(off.max())
            row[f"stage_{stage}_{name}_stream_share_off"] = share
            row["bars"][f"stage {stage} {name}: stream is batch"] = share == 0
            if name.startswith("float32"):
                row["bars"][f"stage {stage} {name}: as published within 1e-5"] = (
                    row[f"stage_{stage}_{name}_max_abs"] <= 1e-5
                )
    return row


MEASURES: dict[str, tuple[str, Callable[[Path], Row]]] = {
    "text": ("textgenrnn", text),
    "traffic": ("traffic-lstm", vehicles),
    "dtln": ("dtln", speech),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=sorted(MEASURES))
    only = parser.parse_args().only or MEASURES
    rows = {}
    for name in only:
        folder, measure = common.MODELS / MEASURES[name][0], MEASURES[name][1]
        if folder.exists():
            rows[name] = measure(folder)
        else:
            print(f"skipped {name}: {folder} is absent", file=sys.stderr)
    failures = [
        f"{name}: {bar}"
        for name, row in rows.items()
        for bar, reached in row["bars"].items()
        if not reached
    ]
    common.finish({"models": rows}, failures)


if __name__ == "__main__":
    main()
