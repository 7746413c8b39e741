"""The target ``graph``: a .tflite read back and evaluated in NumPy."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support.altered import altered
from support.artifacts import conv_graph, int8_conv_graph, write_tflite
from support.one_op import one_op
from support.recurrent import recurrent_graph
from support.stepping import write_artifact
from support.targets import require

from edgenn.errors import ArtifactError, EngineError, UnsupportedError
from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir import ops
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.runners import LiteRTReferenceRunner
from edgenn.runners.numpy_graph import GraphEngine, NumpyGraphRunner

X = np.random.default_rng(2).normal(size=(5, 4, 4, 2)).astype(np.float32)


def assert_equal_to_litert(path, inputs, tolerance=0.0):
    mine = NumpyGraphRunner().run(path, inputs)
    theirs = LiteRTReferenceRunner().run(path, inputs)
    assert mine.outputs.keys() == theirs.outputs.keys()
    for name, array in theirs.outputs.items():
        np.testing.assert_allclose(mine.outputs[name], array, rtol=0, atol=tolerance)
    return mine


@pytest.mark.parametrize("batch", [None, 1, 2])
def test_numbers_are_those_of_the_reference_kernels(tmp_path, batch):
    assert_equal_to_litert(write_tflite(conv_graph(batch), tmp_path), {"x": X[:4]}, 1e-5)
    assert_equal_to_litert(write_tflite(int8_conv_graph(batch), tmp_path), {"x": X[:4]})


def test_it_says_what_it_is(tmp_path):
    result = assert_equal_to_litert(write_tflite(conv_graph(), tmp_path), {"x": X}, 1e-5)
    assert result.engine == "numpy"
    assert result.version.startswith("edgenn ") and f"numpy {np.__version__}" in result.version


def test_whole_sequences_go_through_a_step(tmp_path):
    path = write_artifact(recurrent_graph(ops.Gru(units=4), outputs=("sequence",)), tmp_path)
    x = np.random.default_rng(0).normal(size=(3, 6, 3)).astype(np.float32)
    assert_equal_to_litert(path, {"x": x}, 1e-5)


def test_results_are_the_callers_to_keep(tmp_path):
    graph = one_op(ops.Reshape((-1, 3)), [Tensor("x", (None, 3))], [None])
    engine = GraphEngine(write_tflite(graph, tmp_path))
    x = np.ones((2, 3), np.float32)
    (y,) = engine.run([x])
    y[:] = 7
    assert (x == 1).all()


def test_a_damaged_file(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(b"no file of this kind")
    with pytest.raises(ArtifactError, match=r"net\.tflite"):
        NumpyGraphRunner().run(path, {"x": X})


def test_an_op_without_an_evaluation_is_named(tmp_path):
    """A table in uint8, as files of old converters have it."""

    def change(model):
        for tensor in model.subgraphs[0].tensors:
            tensor.type = schema.TensorType.UINT8

    scale, unit = Quantization.per_tensor(0.1), Quantization.per_tensor(1 / 128)
    graph = one_op(ops.Tanh(), [Tensor("x", (1, 3), "int8", scale)], [unit])
    path = tmp_path / "net.tflite"
    path.write_bytes(altered(to_tflite(graph), change))
    with pytest.raises(UnsupportedError, match="y0: tanh has no evaluation in uint8"):
        NumpyGraphRunner().run(path, {"x": np.ones((1, 3), np.float32)})


def test_shapes_that_do_not_fit(tmp_path):
    graph = one_op(ops.Reshape((3, 2)), [Tensor("x", (None, 3))], [None])
    engine = GraphEngine(write_tflite(graph, tmp_path))
    with pytest.raises(EngineError, match="cannot be evaluated"):
        engine.run([np.ones((5, 3), np.float32)])


def test_the_target_is_here():
    target = require("graph")
    assert target.profile.judge.time == "none" and target.runner.name == "numpy"
