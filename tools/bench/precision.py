"""What precision per layer buys: one layer in float, the last layers in 16 bits.

For each real model under LiteRT's reference kernels: RMSE against Keras, top-1 agreement and the
size of the .tflite, as int8; with the one layer in float that helps most of all that have weights;
with the layers behind the last sum of products in 16 bits; and all in 16 bits.

    python tools/bench/precision.py [--only ic kws …]
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import common
from common import agreement, rmse, run_litert

from edgenn import compiler, convert
from edgenn.frontend.loading import load_model
from edgenn.ir.graph import Graph
from edgenn.ir.layers import has_real_numbers, layer_paths, ops_of_layer

MODELS = ("ic", "kws", "rps", "wand")


def weighted_layers(graph: Graph) -> list[str]:
    """The first layer of each op with weights."""
    found: dict[frozenset[str], str] = {}
    weighted = {op.name for op in graph.ops if op.operator.weight_axes}
    for path in layer_paths(graph):
        if ops := ops_of_layer(graph, path) & weighted:
            found.setdefault(ops, path)
    return list(found.values())


def last_layers(graph: Graph) -> list[str]:
    """The last layer with weights, and all behind it."""
    paths = [path for path in layer_paths(graph) if has_real_numbers(graph, path)]
    return paths[paths.index(weighted_layers(graph)[-1]) :]


def measure(entry: common.RealModel) -> list[dict[str, Any]]:
    calibration, x = entry.load()
    model = load_model(common.MODELS / entry.file).model
    reference = model.predict(x, verbose=0)
    graph = compiler.graph_of(model)

    def row(scheme: str, **layers: list[str]) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            bundle = convert(
                model, Path(folder) / "out", formats=["tflite"], quantize=[scheme],
                calibration=calibration, io="float32", **layers,
            )  # fmt: skip
            content = (bundle.path / bundle.manifest.artifacts[0].file).read_bytes()
        words = [f"--{key.replace('_', '-')} {name}" for key in layers for name in layers[key]]
        result = run_litert(content, x, reference=True)
        return {
            "options": " ".join([f"--quantize {scheme}", *words]),
            "rmse": rmse(result, reference),
            "agreement": agreement(result, reference),
            "bytes": len(content),
        }

    kept = [row("int8", keep_float=[path]) for path in weighted_layers(graph)]
    best = min(kept, key=lambda entry: entry["rmse"])
    return [row("int8"), best, row("int16x8", only=last_layers(graph)), row("int16x8")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=MODELS)
    only = parser.parse_args().only
    models = [entry for entry in common.available() if entry.name in only]
    common.finish({entry.name: measure(entry) for entry in models}, [])


if __name__ == "__main__":
    main()
