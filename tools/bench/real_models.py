"""Real trained models: float fidelity, int8 drift against the stock converter, bit-exactness.

For each model, in one process: float32 TFLite and ONNX against tf_keras; int8 by edgenn and by
``tf.lite.TFLiteConverter`` with the same calibration data, both run by LiteRT's reference
kernels and compared with Keras; the NumPy evaluation of the int8 graph against those kernels.

    python tools/bench/real_models.py [--only ic kws …] [--calibrator NAME]
"""

import argparse
from typing import Any

import common
import numpy as np
from common import MODELS, agreement, rmse, run_litert

from edgenn import compiler
from edgenn.frontend.loading import load_model
from edgenn.ir.evaluator import evaluate
from edgenn.quantization.border import with_border
from edgenn.quantization.calibrators import CALIBRATORS, DEFAULT_CALIBRATOR
from edgenn.quantization.schemes import Scheme

EXACT_SAMPLES = 20
AGREEMENT_BARS = {"ic": 92.1, "kws": 99.9}


def run_onnx(content: bytes, x: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x})[0])


def witness(path: str) -> Any:
    import tf_keras

    return tf_keras.models.load_model(MODELS / path, compile=False)


def measure(entry: common.RealModel, calibrator: str) -> dict[str, Any]:
    calibration, x = entry.load()
    reference = witness(entry.file).predict(x, verbose=0)
    model = load_model(MODELS / entry.file).model
    graph = compiler.graph_of(model)
    (public,) = graph.inputs
    options = compiler.QuantizationOptions(calibrator=calibrator)
    calibrated = compiler.calibrated(
        graph, {public: calibration}, [Scheme.INT8, Scheme.INT16X8], options
    )
    int8 = compiler.quantized(graph, Scheme.INT8, calibrated[Scheme.INT8], options)
    wide = compiler.quantized(graph, Scheme.INT16X8, calibrated[Scheme.INT16X8], options)

    def ours(content: bytes, **kwargs: Any) -> np.ndarray:
        return run_litert(content, x, **kwargs)

    file = compiler.written(with_border(int8, "float32"), "tflite")
    results = ours(file, reference=True)
    stock = ours(common.stock_convert(model, "int8", calibration), reference=True)
    return {
        "samples": len(x),
        "float32_tflite_max_abs": max_abs(ours(compiler.written(graph, "tflite")), reference),
        "float32_onnx_max_abs": max_abs(run_onnx(compiler.written(graph, "onnx"), x), reference),
        "int8_rmse": rmse(results, reference),
        "int8_rmse_stock": rmse(stock, reference),
        "int8_rmse_xnnpack": rmse(ours(file), reference),
        "int8_rmse_onnx": rmse(run_onnx(compiler.written(int8, "onnx"), x), reference),
        "int16x8_rmse": rmse(
            ours(compiler.written(with_border(wide, "float32"), "tflite"), reference=True),
            reference,
        ),
        "int8_top1_agreement_percent": agreement(results, reference),
        "int8_top1_agreement_stock_percent": agreement(stock, reference),
        "evaluator_mismatches": mismatches(int8, public, x[:EXACT_SAMPLES]),
        "int8_bytes": len(file),
    } | (photos(file) if entry.name == "vww" else {})


def max_abs(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max())


def mismatches(graph: Any, public: str, x: np.ndarray) -> int:
    """Integers in which the NumPy evaluation differs from BUILTIN_REF, over ``x``."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    (source,), (target,) = graph.inputs.values(), graph.outputs.values()
    tensor = graph.tensors[source]
    integers = tensor.quantization.quantize(x, tensor.dtype)
    expected = evaluate(graph, {public: integers})[target]
    interpreter = Interpreter(
        model_content=compiler.written(graph, "tflite"),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    count = 0
    for sample, row in zip(integers, expected, strict=True):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample[None])
        interpreter.invoke()
        result = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
        count += int((result != row).sum())
    return count


def photos(file: bytes) -> dict[str, Any]:
    """Whether int8 puts every labelled photo on the side on which Keras puts it."""
    data = np.load(MODELS / "mlperf-tiny-vww/photos_96x96.npz")
    person = run_litert(file, data["photos"].astype(np.float32) / 255)[:, 1] > 0.5
    return {"photos_right": int((person == data["person"]).sum()), "photos": len(person)}


def verdict(name: str, row: dict[str, Any]) -> list[str]:
    bars = {
        "float32 TFLite within 1e-5": row["float32_tflite_max_abs"] <= 1e-5,
        "float32 ONNX within 1e-5": row["float32_onnx_max_abs"] <= 1e-5,
        "int8 RMSE no worse than stock": row["int8_rmse"] <= row["int8_rmse_stock"],
        "NumPy evaluation bit-exact": row["evaluator_mismatches"] == 0,
        "top-1 agreement": row["int8_top1_agreement_percent"] > AGREEMENT_BARS.get(name, 0),
        "photos on the right side": row.get("photos_right") == row.get("photos"),
    }
    return [f"{name}: {bar}" for bar, reached in bars.items() if not reached]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--calibrator", choices=sorted(CALIBRATORS), default=DEFAULT_CALIBRATOR)
    arguments = parser.parse_args()
    rows = {
        entry.name: measure(entry, arguments.calibrator)
        for entry in common.available()
        if not arguments.only or entry.name in arguments.only
    }
    failures = [failure for name, row in rows.items() for failure in verdict(name, row)]
    common.finish({"calibrator": arguments.calibrator, "models": rows}, failures)


if __name__ == "__main__":
    main()
