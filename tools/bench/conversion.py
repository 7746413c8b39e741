"""Time and memory of converting, edgenn against ``tf.lite.TFLiteConverter``, side by side.

The model is already in memory and both are warm: what is timed is ``convert()`` alone. Peak
memory is that of a fresh process which builds ResNet50 and converts it once.

    python tools/bench/conversion.py [--samples 100]
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import common
import numpy as np

REPEATS = 3


def mobilenet(size: int) -> object:
    import keras

    keras.utils.set_random_seed(3)
    return keras.applications.MobileNetV2(input_shape=(size, size, 3), weights=None)


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median wall time."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def edgenn_convert(model: object, scheme: str, calibration: np.ndarray | None) -> object:
    import edgenn

    with tempfile.TemporaryDirectory() as folder:
        return edgenn.convert(
            model,
            f"{folder}/bundle",
            formats=("tflite",),
            quantize=(scheme,),
            calibration=calibration,
        )


def speed(samples: int) -> dict[str, float]:
    rng = np.random.default_rng(5)
    images = rng.random((samples, 224, 224, 3), np.float32) * 2 - 1
    warm = mobilenet(96)
    edgenn_convert(warm, "float32", None)
    common.stock_convert(warm)
    model = mobilenet(224)
    result = {
        "float32_s": seconds(lambda: edgenn_convert(model, "float32", None)),
        "float32_stock_s": seconds(lambda: common.stock_convert(model)),
        "int8_s": seconds(lambda: edgenn_convert(model, "int8", images), 2),
        "int8_stock_s": seconds(lambda: common.stock_convert(model, "int8", images), 2),
    }
    result["float32_times_faster"] = result["float32_stock_s"] / result["float32_s"]
    result["int8_times_faster"] = result["int8_stock_s"] / result["int8_s"]
    return result


def peak_megabytes(who: str) -> float:
    """Peak resident memory of a fresh process that converts ResNet50 with ``who``."""
    command = [sys.executable, __file__, "--convert-resnet", who]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def convert_resnet(who: str) -> None:
    import keras

    model = keras.applications.ResNet50(weights=None)
    if who == "edgenn":
        edgenn_convert(model, "float32", None)
    elif who == "stock":
        common.stock_convert(model)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--convert-resnet", choices=("edgenn", "stock", "neither"))
    arguments = parser.parse_args()
    if arguments.convert_resnet:
        convert_resnet(arguments.convert_resnet)
        return
    result = speed(arguments.samples)
    for who in ("neither", "edgenn", "stock"):
        result[f"resnet50_peak_mb_{who}"] = peak_megabytes(who)
    bars = {
        "float32 at least 10 times faster": result["float32_times_faster"] >= 10,
        "int8 at least 4 times faster": result["int8_times_faster"] >= 4,
        "peak memory below the stock converter's": (
            result["resnet50_peak_mb_edgenn"] < result["resnet50_peak_mb_stock"]
        ),
    }
    common.finish(result, [bar for bar, reached in bars.items() if not reached])


if __name__ == "__main__":
    main()
