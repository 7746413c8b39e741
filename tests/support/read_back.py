"""Graphs written as .tflite, read back, and compared with LiteRT on the same file."""

from collections.abc import Mapping

import numpy as np
from support.litert import run_bytes

from edgenn.export.tflite.exporter import to_tflite
from edgenn.importing import read_tflite_graph
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array

Arrays = Mapping[str, Array]
TOLERANCE = 1e-6


def evaluated(graph: Graph, inputs: Arrays) -> dict[str, Array]:
    """The outputs by public name, raw."""
    values = evaluate(graph, inputs, graph.outputs.values())
    return {public: values[name] for public, name in graph.outputs.items()}


def assert_same(ours: Arrays, theirs: Arrays, tolerance: float = TOLERANCE) -> None:
    """Integers bit for bit, floats to a tolerance of the largest value."""
    assert ours.keys() == theirs.keys()
    for name, mine in ours.items():
        other = theirs[name]
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape), name
        if mine.dtype.kind != "f":
            np.testing.assert_array_equal(mine, other, err_msg=name)
            continue
        finite = np.abs(other[np.isfinite(other)])
        limit = tolerance * float(finite.max(initial=1e-3))
        np.testing.assert_allclose(mine, other, rtol=0, atol=limit, err_msg=name)


def assert_read_back(
    content: bytes, inputs: Arrays, tolerance: float = TOLERANCE, *, written_again: bool = True
) -> Graph:
    """A file's graph gives what LiteRT's reference kernels give, and so it does written again."""
    graph = read_tflite_graph(content)
    expected = run_bytes(content, inputs)
    with np.errstate(all="ignore"):
        assert_same(evaluated(graph, inputs), expected, tolerance)
    if written_again:
        again = run_bytes(to_tflite(graph), inputs)
        for name, array in expected.items():
            np.testing.assert_array_equal(again[name], array, err_msg=name)
    return graph


def assert_same_border(read: Graph, graph: Graph) -> None:
    """Inputs and outputs have the names, shapes, dtypes and parameters that they had."""
    for mine, other in ((read.inputs, graph.inputs), (read.outputs, graph.outputs)):
        assert list(mine) == list(other)
        for public, name in mine.items():
            one, two = read.tensors[name], graph.tensors[other[public]]
            assert (one.shape, one.dtype) == (two.shape, two.dtype)
            assert one.quantization == two.quantization
