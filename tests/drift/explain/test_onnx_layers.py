"""Layers of ONNX files, by ONNX Runtime."""

from functools import cache

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from support.explained import converted

from edgenn import compiler
from edgenn.drift.explain.onnx_layers import explain_onnx
from edgenn.errors import ArtifactError

SCHEMES = ("float32", "float16", "dynamic", "int8", "int16x8")
LAYERS = ("stem_relu", "block_1_a_relu", "block_2_b_norm", "block_3_shortcut", "digit")
KERNELS = {"stem_relu": "stem_conv", "block_1_a_relu": "block_1_a_conv"}
LIMIT = 2


@cache
def case_of(name, scheme):
    return converted(name, scheme, form="native", format_="onnx")


@cache
def model_of(name, scheme):
    return compiler.written(case_of(name, scheme).artifact, "onnx")


def explained(name, scheme, content, folder):
    case = case_of(name, scheme)
    path = folder / "model.onnx"
    path.write_bytes(content)
    return explain_onnx(path, case.graph, case.samples, factors=case.factors, scheme=case.scheme)


# faults


def replaced(model, name, change):
    (entry,) = (entry for entry in model.graph.initializer if entry.name == name)
    entry.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(entry).copy()), name))


def producer(model, name):
    return next(node for node in model.graph.node if name in node.output)


def kernel_of(model, layer):
    """The layer's weights as stored, and their DequantizeLinear or Cast if there is one."""
    name = f"{KERNELS.get(layer, layer)}/kernel".replace("_norm/", "_conv/")
    stored = {entry.name for entry in model.graph.initializer}
    return name if name in stored else producer(model, name).input[0]


def weights_doubled(model, layer):
    name = kernel_of(model, layer)
    reader = next(node for node in model.graph.node if name in node.input)
    if reader.op_type == "DequantizeLinear":
        name = reader.input[1]
    replaced(model, name, lambda data: data * data.dtype.type(2))


def channel_zeroed(model, layer):
    def change(data):
        data[1] = 0
        return data

    replaced(model, kernel_of(model, layer), change)


def zero_point_moved(model, layer):
    """One more in the DequantizeLinear than in the QuantizeLinear in front of it."""
    node = producer(model, layer)
    zero = next(entry for entry in model.graph.initializer if entry.name == node.input[2])
    moved = numpy_helper.to_array(zero) + np.array(1).astype(numpy_helper.to_array(zero).dtype)
    model.graph.initializer.append(numpy_helper.from_array(np.asarray(moved), "moved"))
    node.input[2] = "moved"


def faulty(content, fault, layer):
    model = onnx.load_from_string(content)
    fault(model, layer)
    return model.SerializeToString()


# tests


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["digits_cnn", "digits_gru"])
def test_no_layer_of_a_healthy_file_is_at_fault(name, scheme, tmp_path):
    found = explained(name, scheme, model_of(name, scheme), tmp_path)
    assert all(layer.excess < LIMIT for layer in found.layers), found.sentence
    assert found.sentence.startswith("no layer does worse than rounding explains")
    assert all(np.isfinite([e.introduced, e.inherited, e.total]).all() for e in found.layers)


@pytest.mark.parametrize("gates", ["float32", "int16", "int8"])
@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_unrolled_layers_of_a_healthy_file(scheme, gates, tmp_path):
    case = converted("digits_gru", scheme, gates, "unrolled", "onnx")
    path = tmp_path / "model.onnx"
    path.write_bytes(compiler.written(case.artifact, "onnx"))
    found = explain_onnx(path, case.graph, case.samples, factors=case.factors, scheme=case.scheme)
    assert all(layer.excess < LIMIT for layer in found.layers), found.sentence


@pytest.mark.parametrize("scheme", ["float32", "int8"])
def test_errors_are_those_of_the_same_graph_in_tflite(scheme, tmp_path):
    found = explained("digits_cnn", scheme, model_of("digits_cnn", scheme), tmp_path)
    case = converted("digits_cnn", scheme)
    _, other = case.explain(case.artifact)
    expected = {error.layer: error for error in other.layers}
    assert [error.layer for error in found.layers] == list(expected)
    for error in found.layers:
        theirs = expected[error.layer]
        assert error.total == pytest.approx(theirs.total, rel=0.1, abs=1e-6)
        assert error.introduced == pytest.approx(theirs.introduced, rel=0.1, abs=1e-6)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("fault", [weights_doubled, channel_zeroed])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_faulty_weights_put_their_layer_first(scheme, fault, layer, tmp_path):
    if layer in ("stem_relu", "digit") and scheme == "dynamic":
        scheme = "int8"  # small layers stay in float
    content = faulty(model_of("digits_cnn", scheme), fault, layer)
    found = explained("digits_cnn", scheme, content, tmp_path)
    assert found.ranking[0] == layer
    (error,) = (entry for entry in found.layers if entry.layer == layer)
    assert error.excess > LIMIT and error.diagnosis
    assert found.sentence.startswith(f"{layer}: ")


@pytest.mark.parametrize("layer", [*LAYERS, "block_2_relu", "pool"])
@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_a_zero_point_that_differs_between_the_two_nodes(scheme, layer, tmp_path):
    content = faulty(model_of("digits_cnn", scheme), zero_point_moved, layer)
    found = explained("digits_cnn", scheme, content, tmp_path)
    assert found.ranking[0] == layer
    assert [entry.layer for entry in found.layers if entry.excess > LIMIT] == [layer]


def test_a_damaged_file(tmp_path):
    with pytest.raises(ArtifactError, match="damaged"):
        explained("digits_cnn", "float32", b"no model", tmp_path)
