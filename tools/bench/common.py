"""What the benchmarks share: the real models, their data, the stock converter and LiteRT."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
MODELS = Path(os.environ.get("EDGENN_REAL_MODELS", ROOT.parent / "shared" / "models"))


@dataclass(frozen=True)
class RealModel:
    """A trained model with the data it is calibrated and judged on."""

    name: str
    file: str
    load: Callable[[], tuple[np.ndarray, np.ndarray]]
    """→ calibration and evaluation inputs, float32."""


def photo_patches() -> tuple[np.ndarray, np.ndarray]:
    data = np.load(MODELS / "mlperf-tiny-ic/photo_patches_32x32.npz")
    x = data["x"].astype(np.float32)
    return x[data["calibration"]], x[data["evaluation"]]


def speech_features() -> tuple[np.ndarray, np.ndarray]:
    data = np.load(MODELS / "espeak-commands-dev/mfcc_49x10.npz")
    return data["x"][data["calibration"]], data["x"][data["evaluation"]]


def wake_word_patches() -> tuple[np.ndarray, np.ndarray]:
    data = np.load(MODELS / "mlperf-tiny-vww/photos_96x96.npz")
    patches = data["patches"].astype(np.float32) / 255
    return patches[::2], patches[1::2]


def gray_patches() -> tuple[np.ndarray, np.ndarray]:
    """Photo patches as the rock-paper-scissors model takes them: gray, each normalised.

    Its own photos are not to be had; on these its predictions are of all kinds.
    """
    patches = np.load(MODELS / "mlperf-tiny-vww/photos_96x96.npz")["patches"]
    gray = patches.astype(np.float32).mean(-1, keepdims=True)[:, 6:90, 6:90]
    axes = (1, 2, 3)
    x = (gray - gray.mean(axes, keepdims=True)) / (gray.std(axes, keepdims=True) + 1e-3)
    return x[::2], x[1::2]


def gestures() -> tuple[np.ndarray, np.ndarray]:
    """Synthetic swings of a three-axis accelerometer, in mg, of which the model is unsure.

    Everything is drawn uniformly, so that calibration and evaluation span the same range.
    """
    rng = np.random.default_rng(11)
    time = np.arange(128)[:, None] / 128
    size, offset = rng.uniform(-1, 1, (2, 2000, 1, 3)) * np.array([150, 75])[:, None, None, None]
    frequency, phase = rng.uniform(0.5, 6, (2000, 1, 3)), rng.random((2000, 1, 3))
    x = size * np.sin(2 * np.pi * (frequency * time + phase)) + offset
    x = (x + rng.uniform(-8, 8, x.shape))[..., None].astype(np.float32)
    return x[:1000], x[1000:]


REAL_MODELS = (
    RealModel("ic", "mlperf-tiny-ic/pretrainedResnet.h5", photo_patches),
    RealModel("kws", "mlperf-tiny-kws/kws_ref_model", speech_features),
    RealModel("vww", "mlperf-tiny-vww/vww_96.h5", wake_word_patches),
    RealModel("rps", "mltk-rock-paper-scissors/rock_paper_scissors.h5", gray_patches),
    RealModel("wand", "mltk-magic-wand/tflite_micro_magic_wand.h5", gestures),
)


def stock_convert(
    model: Any, scheme: str = "float32", calibration: np.ndarray | None = None
) -> bytes:
    """TensorFlow's own converter, full integer with float in- and outputs for int8."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if scheme == "int8":
        assert calibration is not None
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([x[None]] for x in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints the model's signature
        return bytes(converter.convert())


def run_litert(content: bytes, x: np.ndarray, *, reference: bool = False) -> np.ndarray:
    """Outputs of a .tflite for a batch, sample by sample, dequantised."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kind = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=kind)
    (source,) = interpreter.get_input_details()
    target = interpreter.get_output_details()[0]
    interpreter.allocate_tensors()
    rows = []
    for sample in x:
        interpreter.set_tensor(source["index"], to_integers(sample[None], source))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(target["index"])[0])
    return to_real(np.stack(rows), target)


def to_integers(x: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    if detail["dtype"] == np.float32:
        return x
    scale, zero_point = detail["quantization"]
    limits = np.iinfo(detail["dtype"])
    return np.clip(np.round(x / scale) + zero_point, limits.min, limits.max).astype(detail["dtype"])


def to_real(y: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    if y.dtype == np.float32:
        return y
    scale, zero_point = detail["quantization"]
    return (y.astype(np.float32) - zero_point) * np.float32(scale)


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(a.astype(np.float64) - b))))


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Share of samples with the same best class, in percent."""
    return 100 * float((a.argmax(-1) == b.argmax(-1)).mean())


def available(models: tuple[RealModel, ...] = REAL_MODELS) -> Iterator[RealModel]:
    """The real models that lie beside the checkout; says which do not."""
    for model in models:
        if (MODELS / model.file).exists():
            yield model
        else:
            print(f"skipped {model.name}: {MODELS / model.file} is absent", file=sys.stderr)


def finish(result: dict[str, Any], failures: list[str]) -> None:
    """Prints the JSON and exits 1 if a bar was missed."""
    print(json.dumps({**result, "failures": failures}, indent=2))
    sys.exit(1 if failures else 0)
