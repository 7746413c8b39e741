"""Engines that go wrong at one op of a file that is right."""

from dataclasses import replace

import numpy as np
import pytest
from support import faults
from support.explained import converted
from support.targets import fake_target, require
from support.wrong_engine import WrongAt, scaled

from edgenn import compiler
from edgenn.drift.explain.bisect import STEPS, cut, difference, first_wrong_layer, lengths
from edgenn.importing import read_tflite_graph
from edgenn.ir.operator import Activation
from edgenn.ir.tensor import Quantization, Tensor

SAMPLES = 6
LOGITS = "digit/fully_connected"


def rectified(graph, name):
    return faults.activation_changed(graph, name, Activation.RELU)


def file_of(name, scheme, folder):
    case = converted(name, scheme)
    path = folder / "model.tflite"
    path.write_bytes(compiler.written(case.artifact, "tflite"))
    graph = read_tflite_graph(path)
    (public,) = graph.inputs
    (samples,) = case.samples.values()
    return path, {public: np.asarray(samples[:SAMPLES], np.float32)}


@pytest.mark.parametrize("scheme", ["float32", "int8"])
@pytest.mark.parametrize(
    ("tensor", "fault"),
    [
        ("stem_relu", faults.channel_zeroed),
        ("block_1_b_norm", rectified),
        ("block_2_shortcut", scaled),
        ("block_3_a_relu", faults.padding_shifted),
        ("digit/fully_connected", scaled),
    ],
)
def test_the_layer_that_an_engine_computes_wrongly(scheme, tensor, fault, tmp_path):
    path, inputs = file_of("digits_cnn", scheme, tmp_path)
    found = first_wrong_layer(
        path, fake_target(WrongAt(tensor, fault), "odd"), inputs, require("cpu-reference")
    )
    assert found is not None
    assert (found.layer, found.tensor) == (tensor.split("/")[0], tensor)
    assert found.in_steps == (scheme == "int8")
    assert found.sentence("odd", "cpu-reference").startswith(
        f"the file is right; layer {found.layer} ({found.op}) differs on odd from cpu-reference, by"
    )


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("digits_cnn", "cpu-xnnpack"),
        ("digits_cnn", "graph"),
        ("digits_cnn", "tflite-micro"),
        ("digits_gru", "cpu-xnnpack"),
        ("digits_gru", "graph"),
    ],
)
@pytest.mark.parametrize("scheme", ["float32", "int8"])
def test_healthy_engines_have_none(scheme, name, target, tmp_path):
    path, inputs = file_of(name, scheme, tmp_path)
    assert first_wrong_layer(path, require(target), inputs, require("cpu-reference")) is None


def test_roundings_that_grow_are_no_fault_of_the_op_that_shows_them(tmp_path):
    """Logits two steps off are healthy; softmax makes more of them, and is right."""
    shift = 2.0

    def shifted(graph, name):
        """The bias of the logits higher by two steps in one class."""
        op = faults.op_of(graph, name)
        bias = graph.tensors[op.inputs[2]].quantization.scale
        steps = shift * graph.tensors[name].quantization.scale[0] / bias
        change = np.zeros(len(bias), np.int32)
        change[::2] = np.rint(steps[::2])
        return faults.with_data(graph, op.inputs[2], lambda data: data + change)

    path, inputs = file_of("digits_cnn", "int8", tmp_path)
    noisy = {name: array * np.float32(0.3) for name, array in inputs.items()}  # no sure answers
    target, reference = fake_target(WrongAt(LOGITS, shifted), "odd"), require("cpu-reference")
    pieces = [target.runner.run(path, noisy).outputs, reference.runner.run(path, noisy).outputs]
    ((name, ours),), ((_, theirs),) = (each.items() for each in pieces)
    probabilities = read_tflite_graph(path).tensors[name]
    assert difference(probabilities, ours, theirs) > STEPS
    assert first_wrong_layer(path, target, noisy, reference) is None


def test_pieces_get_shorter_from_the_end():
    assert list(lengths(10)) == [10, 9, 7, 3]
    assert list(lengths(1)) == [1]


def test_no_numbers_are_a_difference(tmp_path):
    def nothing(graph, name):
        weights = faults.op_of(graph, name).inputs[1]
        return faults.with_data(graph, weights, lambda data: np.full_like(data, np.nan))

    path, inputs = file_of("digits_cnn", "float32", tmp_path)
    found = first_wrong_layer(
        path,
        fake_target(WrongAt("block_2_b_norm", nothing), "odd"),
        inputs,
        require("cpu-reference"),
    )
    assert found.layer == "block_2_b_norm"
    assert found.difference == np.inf
    assert found.sentence("odd", "cpu-reference").endswith("where only one of them gives numbers")


def test_a_piece_gives_all_that_later_ops_read(tmp_path):
    path, _ = file_of("digits_cnn", "int8", tmp_path)
    graph = read_tflite_graph(path)
    order = [op.outputs[0] for op in graph.ops]
    piece = cut(graph, order.index("block_1_a_relu") + 1)
    assert list(piece.outputs.values()) == ["stem_relu", "block_1_a_relu"]  # a residual block
    assert cut(graph, len(graph.ops)).outputs.keys() == set(graph.outputs.values())


def test_a_difference_is_that_of_the_worst_channel():
    floats = Tensor("x", (None, 2))
    expected = np.array([[3.0, 4.0], [3.0, 4.0]])
    assert difference(floats, expected + np.array([0, 1]), expected) == pytest.approx(
        1 / np.sqrt(12.5)
    )
    steps = replace(floats, dtype="int8", quantization=Quantization.per_tensor(0.5))
    assert difference(steps, expected + np.array([0, 1]), expected) == 2
    assert difference(floats, np.zeros((1, 2)), expected) == np.inf
    infinite = np.array([[3.0, np.inf], [3.0, 4.0]])
    assert difference(floats, infinite, expected) == np.inf
    assert difference(floats, infinite, infinite) == 0
    assert difference(floats, np.full((2, 2), np.nan), expected) == np.inf
