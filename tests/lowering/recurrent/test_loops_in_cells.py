"""Recurrent layers inside of cells: loops in loops."""

import keras
import numpy as np
import pytest
from support import litert, onnx_files

from edgenn.frontend import capture
from edgenn.ir.ops import Recurrent, Scan
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.lowering.recurrent.native import to_native

layers = keras.layers
WORDS = np.random.default_rng(0).normal(size=(3, 4, 5, 2)).astype("float32")


@pytest.fixture(scope="module")
def model():
    """A GRU over the letters of each word, an LSTM over the words; batch and lengths are open."""
    keras.utils.set_random_seed(0)
    x = keras.Input((None, None, 2), name="x")
    y = layers.LSTM(4)(layers.TimeDistributed(layers.GRU(3))(x))
    return keras.Model(x, y)


def operators(graph):
    """Those of the graph and of all cells in it."""
    for op in graph.ops:
        yield op.operator
        if isinstance(op.operator, Scan):
            yield from operators(op.operator.cell)


def test_both_are_loops(model):
    graph = to_loops(capture(model))
    assert sum(isinstance(operator, Scan) for operator in operators(graph)) == 3
    assert not any(isinstance(operator, Recurrent) for operator in operators(graph))
    (result,) = litert.run(graph, {"x": WORDS}).values()
    np.testing.assert_allclose(result, model(WORDS), atol=1e-5)


def test_they_are_native_in_onnx(model):
    (result,) = onnx_files.run(to_native(capture(model)), {"x": WORDS}).values()
    np.testing.assert_allclose(result, model(WORDS), atol=1e-5)
