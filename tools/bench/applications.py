"""Every family of keras.applications, float32: how far our results lie from Keras's.

Per model: the largest difference from Keras's prediction over the prediction's range, for the
simplified graph in NumPy, its TFLite file in LiteRT (default kernels) and its ONNX file in ONNX
Runtime; and, as a measure of what float32 leaves, Keras's own difference from the same model in
float64. Exits 1 where one of the three is above 1e-4. The weights are random and seeded;
normalisation layers get statistics near those of real activations, so that no output is constant
and every layer counts. Each model runs in a process of its own.

    python tools/bench/applications.py [--models MobileNetV2 NASNetMobile …] [--only tflite onnx]
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import common
import numpy as np

BAR = 1e-4
BATCH = 2
SEED = 7
SIDE = 128
"""Of the square input images; every family allows it."""
SPREAD = (0.8, 1.25)
"""Of the normalisation statistics around those of real activations. Random kernels amplify
rounding from layer to layer: Keras's own ResNet50 lies 5e-5 from the same model in float64."""
FAMILIES = (
    "MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large", "EfficientNetB0",
    "EfficientNetV2B0", "ResNet50", "ResNet50V2", "DenseNet121", "Xception", "InceptionV3",
    "InceptionResNetV2", "NASNetMobile", "VGG16", "ConvNeXtTiny",
)  # fmt: skip


def build(family: str) -> Any:
    """The model with seeded random weights that keep activations in proportion."""
    import keras

    keras.utils.set_random_seed(SEED)
    model = getattr(keras.applications, family)(weights=None, input_shape=(SIDE, SIDE, 3))
    rng = np.random.default_rng(SEED)
    layers = [layer for layer in model._flatten_layers() if layer.variables]
    for layer in layers:
        randomize(layer, rng)
    norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0  # one step in training mode takes the statistics of its batch
    if norms:
        model(images(rng, 8), training=True)
    for layer in norms:
        for variable in (layer.moving_mean, layer.moving_variance):
            variable.assign(variable * rng.uniform(*SPREAD, variable.shape).astype(np.float32))
    return model


def randomize(layer: Any, rng: np.random.Generator) -> None:
    """Gives what initialisers leave at 0 or 1 a value that matters."""
    for variable in layer.weights:
        if not variable.dtype.startswith("float"):
            continue
        match variable.path.rpartition("/")[2]:
            case "gamma" | "variance":
                variable.assign(rng.uniform(0.5, 1.5, variable.shape))
            case "beta" | "bias" | "mean":
                variable.assign(rng.normal(0, 0.1, variable.shape))


def images(rng: np.random.Generator, count: int) -> np.ndarray:
    """Coarse patches under fine noise, 0 … 255: images that differ from each other."""
    patches = rng.uniform(0, 255, (count, SIDE // 16, SIDE // 16, 3))
    coarse = patches.repeat(16, axis=1).repeat(16, axis=2)
    fine = rng.uniform(0, 255, coarse.shape)
    return (0.75 * coarse + 0.25 * fine).astype(np.float32)


def measure(family: str, only: list[str]) -> dict[str, Any]:
    from edgenn.frontend import capture
    from edgenn.passes import simplify

    model = build(family)
    x = images(np.random.default_rng(SEED + 1), BATCH)
    expected = np.asarray(model.predict(x, verbose=0))
    captured = capture(model)
    started = time.perf_counter()
    graph = simplify(captured)
    elapsed = time.perf_counter() - started
    span = float(np.ptp(expected))
    row: dict[str, Any] = {
        "parameters": model.count_params(),
        "output_range": span,
        "ops_captured": len(captured.ops),
        "ops": len(graph.ops),
        "ops_by_kind": dict(sorted(Counter(op.kind for op in graph.ops).items())),
        "simplify_ms": round(1000 * elapsed, 1),
    }
    row["keras_from_float64"] = float(np.abs(in_float64(captured, x) - expected).max()) / span
    for name, run in RUNS.items():
        if name in only:
            row[name] = float(np.abs(run(graph, x) - expected).max()) / span
    return row


def in_float64(graph: Any, x: np.ndarray) -> np.ndarray:
    """The captured graph without rounding to speak of: how exact the reference is itself."""
    wide = {
        name: tensor.with_(data=tensor.data.astype(np.float64), dtype="float64")
        if tensor.is_constant and tensor.dtype == "float32"
        else tensor
        for name, tensor in graph.tensors.items()
    }
    return in_numpy(graph.with_(tensors=wide), x.astype(np.float64))


def in_numpy(graph: Any, x: np.ndarray) -> np.ndarray:
    from edgenn.ir.evaluator import evaluate

    (public,), (output,) = graph.inputs, graph.outputs.values()
    return np.asarray(evaluate(graph, {public: x}, keep={output})[output])


def in_litert(graph: Any, x: np.ndarray) -> np.ndarray:
    from edgenn.export.tflite.exporter import to_tflite

    return common.run_litert(to_tflite(graph), x)


def in_onnx_runtime(graph: Any, x: np.ndarray) -> np.ndarray:
    import onnxruntime

    from edgenn.export.onnx.exporter import to_onnx

    session = onnxruntime.InferenceSession(to_onnx(graph), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x})[0])


RUNS: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "numpy": in_numpy,
    "tflite": in_litert,
    "onnx": in_onnx_runtime,
}


def in_own_process(family: str, only: list[str]) -> dict[str, Any]:
    """The row of one model, or how its process ended."""
    command = [sys.executable, __file__, "--child", family, "--only", *only]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        return {"error": f"exit code {done.returncode}: {last[0]}"}
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def verdict(family: str, row: dict[str, Any], only: list[str]) -> list[str]:
    if "error" in row:
        return [f"{family}: {row['error']}"]
    # written so that NaN is a failure
    return [f"{family}: {name} is off by {row[name]:.1e}" for name in only if not row[name] <= BAR]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--only", nargs="*", choices=tuple(RUNS), default=tuple(RUNS))
    parser.add_argument("--child", choices=FAMILIES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    only = list(arguments.only)
    if arguments.child:
        print(json.dumps(measure(arguments.child, only)))
        return
    rows = {family: in_own_process(family, only) for family in arguments.models}
    failures = [line for family, row in rows.items() for line in verdict(family, row, only)]
    common.finish({"bar": BAR, "models": rows}, failures)


if __name__ == "__main__":
    main()
