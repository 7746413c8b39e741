"""Whole float graphs in the integers of a file: calibrated in NumPy, exact or not in LiteRT."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from support.litert import run

from edgenn import compiler
from edgenn.ir.evaluator import evaluate
from edgenn.ir.flat_loops import close_loops
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.plan import builds
from edgenn.quantization.calibration import observed_tensors
from edgenn.quantization.schemes import Scheme
from edgenn.quantization.statistics import Statistics

Inputs = Mapping[str, Array]


def seen_in_numpy(
    graph: Graph, batches: Iterable[Inputs], write: Any, **wanted: Any
) -> dict[str, Statistics]:
    """``collect_statistics`` without a child process and LiteRT."""
    names = observed_tensors(graph)
    whole = close_loops(graph.with_(outputs={name: name for name in names}))
    statistics = {
        name: Statistics(
            histogram=wanted.get("histogram", False),
            means=name in wanted.get("means", ()),
            magnitudes=name in wanted.get("magnitudes", ()),
            keep_rows=name in wanted.get("rows", ()),
            products=name in wanted.get("products", ()),
        )
        for name in names
    }
    for batch in batches:
        values = evaluate(whole, batch, keep=names)
        for name in names:
            statistics[name].update(values[name])
    return statistics


def in_integers(
    graph: Graph, samples: Inputs, form: str, scheme: str = "int8", precision: str = "auto"
) -> Graph:
    """The graph of a full-integer .tflite file."""
    options = compiler.QuantizationOptions()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "collect_statistics", seen_in_numpy)
        (build,) = builds(graph, [Scheme(scheme)], ["tflite"], form, precision)
        seen = compiler.calibrations(graph, samples, [build], options)
        return compiler.built(graph, build, seen, options)


def stored(graph: Graph, inputs: Inputs) -> dict[str, Array]:
    """Inputs in the integers that the graph takes them in."""
    result = {}
    for public, name in graph.inputs.items():
        tensor = graph.tensors[name]
        quantization = tensor.quantization
        array = inputs[public]
        result[public] = (
            array if quantization is None else quantization.quantize(array, tensor.dtype)
        )
    return result


def in_numpy(graph: Graph, inputs: Inputs) -> dict[str, Array]:
    values = evaluate(graph, stored(graph, inputs), keep=list(graph.outputs.values()))
    return {public: values[name] for public, name in graph.outputs.items()}


def assert_exact(graph: Graph, inputs: Inputs) -> dict[str, Array]:
    """LiteRT's reference kernels give what NumPy gives, bit for bit; that."""
    ours, theirs = in_numpy(graph, inputs), run(graph, stored(graph, inputs))
    assert ours.keys() == theirs.keys()
    for name, mine in ours.items():
        assert mine.dtype == theirs[name].dtype
        np.testing.assert_array_equal(mine, theirs[name], err_msg=name)
    return ours


def real(graph: Graph, results: Inputs) -> dict[str, Array]:
    """Outputs as the numbers they stand for."""
    tensors = {public: graph.tensors[name] for public, name in graph.outputs.items()}
    return {
        public: array
        if tensors[public].quantization is None
        else tensors[public].quantization.dequantize(array)
        for public, array in results.items()
    }


def computes_in_integers(graph: Graph) -> bool:
    """Whether no tensor that is computed is float, those inside of loops included."""
    from edgenn.ir.ops import Scan

    cells = [op.operator.cell for op in graph.ops if isinstance(op.operator, Scan)]
    own = all(t.is_constant or t.dtype != "float32" for t in graph.tensors.values())
    return own and all(map(computes_in_integers, cells))
