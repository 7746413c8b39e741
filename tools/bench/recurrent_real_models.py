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
Row = dict[str, Any]


def converted(model: Any, calibration: np.ndarray, folder: str, **options: Any) -> Any:
    return edgenn.convert(
        model,
        Path(folder) / "bundle",
        quantize=("float32", "int8"),
        calibration=calibration,
        io="float32",
        name="model",
        **options,
    )


def outputs(model: Any, calibration: np.ndarray, x: np.ndarray, **options: Any) -> dict[str, Any]:
    """What each file says to each sample, by ``scheme_format``."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = converted(model, calibration, folder, **options)
        results = {}
        for scheme, format_ in FILES:
            with edgenn.Session(bundle.file(f"model.{scheme}.{format_}")) as session:
                rows = [session.run(sample[None]) for sample in x]
            results[f"{scheme}_{format_}"] = np.concatenate(rows)
    return results


def max_abs(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max())


def text(folder: Path) -> Row:
    data = textgenrnn.load_data(folder)
    x, labels = data["test"]
    witness = textgenrnn.build_witness(folder).predict(x, batch_size=256, verbose=0)
    model = textgenrnn.build_model(folder)
    results = outputs(model, data["calibration"][0], x)
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
    return row


def vehicles(folder: Path) -> Row:
    data = traffic.load(folder)
    results = outputs(folder / traffic.FILE, data.calibration, data.x)
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
    """Both stages: the loop over all frames, and the step, against the published files."""
    row: Row = {"frames": FRAMES, "bars": {}}
    for stage in dtln.STAGES:
        x = dtln.inputs_of(stage, FRAMES)
        calibration = dtln.inputs_of(stage, FRAMES, seed=1)[None]
        published = dtln.published_stream(folder, stage, x)
        model = dtln.build_model(folder, stage, stateful=False)
        for name, result in outputs(model, calibration, x[None]).items():
            row[f"stage_{stage}_{name}_rmse"] = common.rmse(result[0], published)
            row[f"stage_{stage}_{name}_max_abs"] = max_abs(result[0], published)
        row["bars"] |= {
            f"stage {stage} float32 {format_} within 1e-5": (
                row[f"stage_{stage}_float32_{format_}_max_abs"] <= 1e-5
            )
            for format_ in ("tflite", "onnx")
        }
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
