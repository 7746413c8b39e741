"""Full-integer graphs of published models: NumPy and LiteRT's reference kernels give one result."""

from functools import cache

import numpy as np
import pytest
from support.litert import run
from support.real_models import REAL_MODELS, real

from edgenn.export.tflite.exporter import to_tflite
from edgenn.frontend.capture import capture
from edgenn.frontend.loading import load_model
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.passes.pipeline import simplify
from edgenn.quantization.calibration import choose_ranges
from edgenn.quantization.calibrators import CALIBRATORS
from edgenn.quantization.integer import quantize_integer
from edgenn.quantization.schemes import INTEGER_FORMATS, Scheme
from edgenn.quantization.statistics import Statistics
from edgenn.runners.calibration import collect_statistics

SAMPLES = 20


@cache
def calibrated(name: str) -> tuple[Graph, dict[str, Statistics]]:
    """The float graph and what calibration saw of it."""
    model = REAL_MODELS[name]
    graph = simplify(capture(load_model(real(model.file)).model))
    (public,) = graph.inputs
    batch = {public: model.calibration()[:SAMPLES]}
    return graph, collect_statistics(graph, [batch], to_tflite)


@pytest.mark.parametrize("scheme", [Scheme.INT8, Scheme.INT16X8])
@pytest.mark.parametrize("name", REAL_MODELS)
def test_evaluation_equals_litert_bit_for_bit(name, scheme):
    graph, statistics = calibrated(name)
    format_ = INTEGER_FORMATS[scheme]
    dtype = format_.activation
    ranges = choose_ranges(graph, statistics, CALIBRATORS["minmax"], lambda _: format_)
    graph = quantize_integer(graph, scheme, ranges)
    ((public, tensor),) = graph.inputs.items()
    quantization = graph.tensors[tensor].quantization
    inputs = {public: quantization.quantize(REAL_MODELS[name].evaluation()[:SAMPLES], dtype)}
    ours, theirs = evaluate(graph, inputs), run(graph, inputs)
    for public, tensor in graph.outputs.items():
        assert len(np.unique(theirs[public])) > 1
        np.testing.assert_array_equal(ours[tensor], theirs[public])
