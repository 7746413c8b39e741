"""How long it takes to say which layer of a MobileNetV2 made its int8 file wrong.

Usage: ``python tools/bench/localisation.py [--samples 32]``. Prints JSON: the seconds of each part,
and whether a kernel that was turned round on purpose is found. The weights are random, with
normalisation by the made-up images' own statistics, so that all layers are alive.
"""

import argparse
import json
import time
import warnings
from dataclasses import replace

import keras
import numpy as np

from edgenn import compiler
from edgenn.compiler import QuantizationOptions, calibrations
from edgenn.drift.explain.explain import explained, study
from edgenn.importing import read_tflite_graph
from edgenn.plan import Build
from edgenn.quantization.equalization import FACTORS
from edgenn.quantization.schemes import Gates, Scheme

TURNED = "block_6_depthwise_relu"


def images(count: int) -> np.ndarray:
    """Made-up images: squares of one colour, and noise."""
    random = np.random.default_rng(0)
    squares = np.kron(random.uniform(-1, 1, (count, 14, 14, 3)), np.ones((1, 16, 16, 1)))
    return (squares + random.normal(0, 0.1, (count, 224, 224, 3))).astype(np.float32)


def mobilenet(samples: np.ndarray) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNetV2(weights=None)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # one pass sets the statistics
    model(samples, training=True)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=32)
    count = parser.parse_args().samples
    warnings.simplefilter("ignore")
    samples = images(count)
    graph = compiler.graph_of(mobilenet(samples[:16]))
    build = Build(Scheme.INT8, "tflite", None, Gates.FLOAT32)
    options = QuantizationOptions()
    inputs = {next(iter(graph.inputs)): samples}
    seen = calibrations(graph, inputs, [build], options)
    factors = next(iter(seen.values())).graph.metadata.get(FACTORS, {})
    artifact = compiler.built(graph, build, seen, options)
    weights = artifact.producers[TURNED].inputs[1]
    kernel = artifact.tensors[weights]
    turned = replace(kernel, data=np.ascontiguousarray(kernel.data.swapaxes(1, 2)))
    results = {}
    for name, tensors in (("healthy", {}), ("kernel turned", {weights: turned})):
        changed = artifact.with_(tensors={**artifact.tensors, **tensors})
        content = compiler.written(changed, "tflite")
        start = time.perf_counter()
        found = study(
            read_tflite_graph(content),
            graph,
            inputs,
            factors=factors,
            scheme=Scheme.INT8,
            samples=count,
        )
        compared = time.perf_counter() - start
        explanation = explained("mobilenet_v2.int8.tflite", found)
        results[name] = {
            "seconds": round(time.perf_counter() - start, 1),
            "seconds_of_comparing": round(compared, 1),
            "layers": len(explanation.layers),
            "layers_switched_off": sum(x.regained is not None for x in explanation.layers),
            "largest_excess": round(max(x.excess for x in explanation.layers), 2),
            "sentence": explanation.sentence,
        }
    print(json.dumps({"samples": count, **results}, indent=2))


if __name__ == "__main__":
    main()
