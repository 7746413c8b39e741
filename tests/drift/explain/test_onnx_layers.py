"""Layers of ONNX files, by ONNX Runtime."""

import pytest
from support.explained import converted

from edgenn import compiler
from edgenn.drift.explain.onnx_layers import layers_of_onnx


@pytest.mark.parametrize("scheme", ["float32", "int8"])
def test_totals_are_those_of_the_same_graph_in_tflite(scheme, tmp_path):
    case = converted("digits_cnn", scheme)
    path = tmp_path / "digits.onnx"
    path.write_bytes(compiler.written(case.artifact, "onnx"))
    found = layers_of_onnx(path, case.graph, case.samples, factors=case.factors)
    _, explanation = case.explain(case.artifact)
    expected = {error.layer: error.total for error in explanation.layers}
    assert [error.layer for error in found] == [name for name in expected if name != "image"]
    for error in found:
        assert error.total == pytest.approx(expected[error.layer], rel=0.1, abs=1e-6)
