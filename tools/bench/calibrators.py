"""What each calibration option does to int8 drift: which of them earns its place in the default.

For each real model: RMSE against Keras and top-1 agreement under LiteRT's reference kernels, for
every calibrator with and without bias correction and equalisation, and the stock converter's.

    python tools/bench/calibrators.py [--only ic kws …]
"""

import argparse
from itertools import product
from typing import Any

import common
from common import agreement, rmse, run_litert

from edgenn import compiler
from edgenn.frontend.loading import load_model
from edgenn.quantization.border import with_border
from edgenn.quantization.calibrators import CALIBRATORS
from edgenn.quantization.schemes import Scheme

OPTIONS = {
    f"{calibrator}{' + bias correction' * correction}{' + equalisation' * equalisation}": (
        compiler.QuantizationOptions(calibrator, bool(correction), bool(equalisation))
    )
    for calibrator, equalisation, correction in product(CALIBRATORS, (0, 1), (0, 1))
}


def measure(entry: common.RealModel) -> dict[str, Any]:
    calibration, x = entry.load()
    model = load_model(common.MODELS / entry.file).model
    reference = model.predict(x, verbose=0)
    graph = compiler.graph_of(model)
    (public,) = graph.inputs

    def row(content: bytes) -> dict[str, float]:
        result = run_litert(content, x, reference=True)
        return {"rmse": rmse(result, reference), "agreement": agreement(result, reference)}

    rows = {"stock": row(common.stock_convert(model, "int8", calibration))}
    for name, options in OPTIONS.items():
        seen = compiler.calibrated(graph, {public: calibration}, [Scheme.INT8], options)
        int8 = compiler.quantized(graph, Scheme.INT8, seen[Scheme.INT8], options)
        rows[name] = row(compiler.written(with_border(int8, "float32"), "tflite"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*")
    only = parser.parse_args().only
    models = [entry for entry in common.available() if not only or entry.name in only]
    common.finish({entry.name: measure(entry) for entry in models}, [])


if __name__ == "__main__":
    main()
