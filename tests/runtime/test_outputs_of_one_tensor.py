"""Outputs with names of their own that are one tensor: a GRU's output is its final state."""

import numpy as np
import pytest

from edgenn.export.onnx.exporter import to_onnx
from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Relu
from edgenn.runtime import Session


@pytest.mark.parametrize(
    ("name", "write"), [("two.tflite", to_tflite), ("two.onnx", to_onnx)], ids=["tflite", "onnx"]
)
def test_each_name_is_there(name, write, tmp_path):
    builder = GraphBuilder("two")
    y = builder.add(Relu(), [builder.input("x", (None, 3))], "y")
    (tmp_path / name).write_bytes(write(builder.finish({"output": y, "state": y})))
    session = Session(tmp_path / name)
    assert [info.name for info in session.outputs] == ["output", "state"]
    x = np.array([[-1, 0, 2]], np.float32)
    result = session.run(x)
    assert list(result) == ["output", "state"]
    for value in result.values():
        np.testing.assert_array_equal(value, np.maximum(x, 0))
