"""Full-integer graphs of small float graphs: legalised, calibrated and quantised in NumPy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from support.litert import run

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Operator
from edgenn.ir.tensor import Array
from edgenn.lowering.integer import legalize
from edgenn.quantization.calibration import observed_tensors
from edgenn.quantization.integer import quantize_integer
from edgenn.quantization.parameters import Range
from edgenn.quantization.schemes import INTEGER_FORMATS, Scheme

SCHEMES = (Scheme.INT8, Scheme.INT16X8)
Inputs = Mapping[str, Array]
Entry = Operator | tuple[Any, ...]


def graph_of(*entries: Entry, inputs: Sequence[tuple[int, ...]]) -> Graph:
    """Ops one after the other.

    Args:
        entries: Each is an operator of the tensor before, or ``(operator, operand …)`` where an
            operand is ``...`` for that tensor, the name of an input or op, or a constant.
        inputs: The shapes of ``x0``, ``x1`` … without the batch, which is open.
    """
    builder = GraphBuilder("graph")
    names = [builder.input(f"x{i}", (None, *shape)) for i, shape in enumerate(inputs)]
    last = names[0]
    for index, entry in enumerate(entries):
        operator, *operands = entry if isinstance(entry, tuple) else (entry, ...)
        arguments = [
            last
            if operand is ...
            else operand
            if isinstance(operand, str)
            else builder.constant(f"constant{index}", np.asarray(operand, np.float32))
            for operand in operands
        ]
        last = builder.add(operator, arguments, f"op{index}")
    return builder.finish({"y": last})


def samples(graph: Graph, low: float, high: float, batch: int = 64, seed: int = 0) -> Inputs:
    """Uniform numbers for every input."""
    rng = np.random.default_rng(seed)
    return {
        public: rng.uniform(low, high, (batch, *graph.tensors[name].shape[1:])).astype(np.float32)
        for public, name in graph.inputs.items()
    }


def quantized(graph: Graph, scheme: Scheme, inputs: Inputs) -> Graph:
    """The legalised graph in integers, calibrated on ``inputs``."""
    legal = legalize(graph, INTEGER_FORMATS[scheme].activation)
    seen = evaluate(legal, inputs)
    ranges = {name: Range.of(seen[name]) for name in observed_tensors(legal)}
    return quantize_integer(legal, scheme, ranges)


def stored_inputs(graph: Graph, inputs: Inputs) -> dict[str, Array]:
    """The inputs of a quantised graph, in its integers."""
    tensors = {public: graph.tensors[name] for public, name in graph.inputs.items()}
    return {
        public: array
        if tensors[public].quantization is None
        else tensors[public].quantization.quantize(array, tensors[public].dtype)
        for public, array in inputs.items()
    }


def real_outputs(graph: Graph, inputs: Inputs) -> dict[str, Array]:
    """What a quantised graph gives, in real numbers; LiteRT must agree with NumPy on each bit."""
    stored = stored_inputs(graph, inputs)
    ours, theirs = evaluate(graph, stored), run(graph, stored)
    result = {}
    for public, name in graph.outputs.items():
        np.testing.assert_array_equal(ours[name], theirs[public])
        assert ours[name].dtype == theirs[public].dtype
        quantization = graph.tensors[name].quantization
        values = theirs[public]
        result[public] = values if quantization is None else quantization.dequantize(values)
    return result


def error_shares(graph: Graph, scheme: Scheme, inputs: Inputs) -> dict[str, float]:
    """Root mean square error of each output as a share of its range in float."""
    wanted = evaluate(graph, inputs)
    actual = real_outputs(quantized(graph, scheme, inputs), inputs)
    shares = {}
    for public, name in graph.outputs.items():
        expected = wanted[name].astype(np.float64)
        error = np.sqrt(np.mean((actual[public] - expected) ** 2))
        shares[public] = float(error / np.ptp(expected))
    return shares
