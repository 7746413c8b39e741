"""The int8 weights of ops that compute in float: whom they are shared with, and what is coarse."""

import numpy as np
import pytest
from support.recurrent import add_recurrent

from edgenn import compiler
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.grids import grids_of
from edgenn.ir.ops import Conv2D, FullyConnected, Gru, Lstm, Reshape
from edgenn.quantization.bias_correction import correct_bias, weighted_inputs
from edgenn.quantization.float_parts import float_ops
from edgenn.quantization.float_weights import (
    FEWEST_ROWS,
    MOST_INPUTS,
    float_inputs,
    is_coarse,
    rounded_weights,
)
from edgenn.quantization.parameters import quantize_weights, weight_scales
from edgenn.quantization.schemes import Scheme
from edgenn.quantization.statistics import Statistics

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 6, 3)).astype(np.float32)


def matrix(builder: GraphBuilder, name: str, outputs: int, inputs: int) -> str:
    return builder.constant(name, RNG.normal(size=(outputs, inputs)).astype(np.float32))


def statistics(rows: np.ndarray) -> Statistics:
    result = Statistics(means=True, keep_rows=True, products=True)
    result.update(rows.astype(np.float32))
    return result


def states(features: int) -> np.ndarray:
    causes = RNG.normal(size=(4, features))
    return np.tanh(RNG.normal(size=(500, 4)) @ causes)


def in_int8(graph: Graph, samples: dict[str, np.ndarray]) -> Graph:
    seen = compiler.calibrated(graph, samples, [Scheme.INT8])
    return compiler.quantized(graph, Scheme.INT8, seen[Scheme.INT8])


def dense_behind_lstm(outputs: int, units: int = 32, *, calls: int = 1) -> Graph:
    """The same dense layer ``calls`` times, one behind the other."""
    builder = GraphBuilder("net")
    x = builder.input("x", (None, 6, 3))
    _, y, _ = add_recurrent(builder, Lstm(units=units), x)
    weights = matrix(builder, "w", outputs, units)
    for call in range(calls):
        y = builder.add(FullyConnected(), [y, weights], f"y{call}")
    return builder.finish({"y": y})


def test_what_calibration_should_see():
    graph = dense_behind_lstm(20)
    floats = float_ops(graph)
    assert float_inputs(graph, floats) == {"x", "rnn/sequence", "rnn/h"}
    assert float_inputs(graph, frozenset()) == set()


def test_all_matrices_of_float_ops_are_rounded_by_what_was_seen():
    graph = dense_behind_lstm(20)
    seen = {"rnn/h": statistics(states(32)), "rnn/sequence": statistics(states(32))}
    rounded = rounded_weights(graph, float_ops(graph), seen).tensors
    assert set(rounded) == {"rnn/kernel", "rnn/recurrent_kernel", "w"}
    plain = {
        name: quantize_weights(w, weight_scales(w, 0, None, 1.0), 0)
        for name in rounded
        if (w := graph.tensors[name].data) is not None
    }
    assert not np.array_equal(rounded["w"].data, plain["w"])
    assert not np.array_equal(rounded["rnn/recurrent_kernel"].data, plain["rnn/recurrent_kernel"])
    np.testing.assert_array_equal(rounded["rnn/kernel"].data, plain["rnn/kernel"])  # x: not seen


@pytest.mark.parametrize(("outputs", "units"), [(1, 300), (3, 8)], ids=["one row", "few elements"])
def test_what_is_not_worth_it_stays_in_float(outputs, units):
    graph = dense_behind_lstm(outputs, units)
    assert "w" not in rounded_weights(graph, float_ops(graph), {}).tensors
    integers = in_int8(graph, {"x": X})
    (dense,) = [op for op in integers.ops if op.kind == "fully_connected"]
    assert integers.tensors[dense.inputs[1]].dtype == "float32"
    assert len(dense.inputs) == 2  # exact weights shift no mean


def test_a_handful_of_rows_proves_nothing():
    graph = dense_behind_lstm(20)
    data = graph.tensors["w"].data
    plain = quantize_weights(data, weight_scales(data, 0, None, 1.0), 0)
    few, more = (
        rounded_weights(graph, float_ops(graph), {"rnn/h": statistics(states(32)[:n])}).tensors["w"]
        for n in (2 * FEWEST_ROWS - 1, 500)
    )
    np.testing.assert_array_equal(few.data, plain)
    assert not np.array_equal(more.data, plain)


def test_weights_of_two_float_ops_suit_both():
    graph = dense_behind_lstm(32, calls=2)
    first, second = statistics(states(32)), statistics(9 * states(32))
    both = rounded_weights(graph, float_ops(graph), {"rnn/h": first, "y0": second})
    one = rounded_weights(graph, float_ops(graph), {"rnn/h": first})

    def error(tensors) -> float:
        weights = graph.tensors["w"].data
        difference = tensors["w"].real() - weights
        return sum(
            float(np.sum((difference @ s.mean_products) * difference)) for s in (first, second)
        )

    assert error(both.tensors) < error(one.tensors)


def test_weights_of_a_float_and_an_integer_op():
    builder = GraphBuilder("net")
    x, z = builder.input("x", (None, 6, 3)), builder.input("z", (None, 32))
    weights = matrix(builder, "w", 20, 32)
    _, h, _ = add_recurrent(builder, Lstm(units=32), x)
    outputs = {
        "float": builder.add(FullyConnected(), [h, weights], "float"),
        "integer": builder.add(FullyConnected(), [z, weights], "integer"),
    }
    graph = builder.finish(outputs)
    integers = in_int8(graph, {"x": X, "z": RNG.normal(size=(64, 32)).astype(np.float32)})
    products = {op.name: op for op in integers.ops if op.kind == "fully_connected"}
    assert len(products) == 2
    kernels = [integers.tensors[op.inputs[1]] for op in products.values()]
    assert [kernel.dtype for kernel in kernels] == ["int8", "int8"]
    assert kernels[0].name != kernels[1].name
    plain = quantize_weights(
        graph.tensors["w"].data, weight_scales(graph.tensors["w"].data, 0, None, 1.0), 0
    )
    exact = [np.array_equal(kernel.data, plain) for kernel in kernels]
    assert exact.count(True) == 1


def test_weights_in_another_role_stay_in_float():
    builder = GraphBuilder("net")
    x = builder.input("x", (None, 6, 3))
    _, h = add_recurrent(builder, Gru(units=32), x)
    weights = matrix(builder, "w", 32, 32)
    y = builder.add(FullyConnected(), [h, weights], "y")
    graph = builder.finish({"y": builder.add(FullyConnected(), [weights, y], "other_way")})
    assert "w" not in rounded_weights(graph, float_ops(graph), {}).tensors


def test_more_columns_than_pairs_are_worth():
    builder = GraphBuilder("net")
    x = builder.input("x", (None, 18, 3))
    sequence, *_ = add_recurrent(builder, Lstm(units=64), x)
    flat = builder.add(Reshape((-1, 18 * 64)), [sequence], "flat")
    y = builder.add(FullyConnected(), [flat, matrix(builder, "w", 8, 18 * 64)], "y")
    graph = builder.finish({"y": y})
    assert MOST_INPUTS < 18 * 64
    assert "flat" not in float_inputs(graph, float_ops(graph))
    weights = rounded_weights(graph, float_ops(graph), {}).tensors["w"]
    data = graph.tensors["w"].data
    np.testing.assert_array_equal(
        weights.data, quantize_weights(data, weight_scales(data, 0, None, 1.0), 0)
    )
    samples = RNG.normal(size=(8, 18, 3)).astype(np.float32)
    assert in_int8(graph, {"x": samples}).tensors["w"].dtype == "int8"


def test_the_bias_takes_the_mean_out_of_what_is_really_rounded():
    graph = dense_behind_lstm(20)
    entry = statistics(states(32) + 0.7)
    floats = float_ops(graph)
    rounded = rounded_weights(graph, floats, {"rnn/h": entry}).tensors
    means = dict.fromkeys(weighted_inputs(graph), entry.means)
    corrected = correct_bias(graph, means, floats, rounded)
    (dense,) = [op for op in corrected.ops if op.kind == "fully_connected"]
    bias = corrected.tensors[dense.inputs[2]].data
    shift = (rounded["w"].real() - graph.tensors["w"].data) @ entry.means
    np.testing.assert_allclose(bias, -shift, atol=1e-5)


def test_an_integer_op_beside_a_float_op_keeps_its_correction():
    builder = GraphBuilder("net")
    x = builder.input("x", (None, 6, 3))
    sequence, *_ = add_recurrent(builder, Lstm(units=32), x)
    image = builder.add(Reshape((-1, 1, 6, 32)), [sequence], "image")
    kernel = builder.constant("k", RNG.normal(size=(8, 1, 1, 32)).astype(np.float32))
    outputs = {
        "float": builder.add(FullyConnected(), [image, matrix(builder, "w", 20, 32)], "float"),
        "integer": builder.add(Conv2D(), [image, kernel], "integer"),
    }
    graph = builder.finish(outputs)
    corrected = correct_bias(graph, {"image": np.ones(32)}, float_ops(graph), {})
    assert {op.name: len(op.inputs) for op in corrected.ops[-2:]} == {"float": 2, "integer": 3}


def test_coarse_are_inputs_whose_rounding_is_worse_than_that_of_the_weights():
    graph = dense_behind_lstm(20)
    weights = graph.tensors["w"]
    smooth = statistics(states(32))
    rounded = rounded_weights(graph, float_ops(graph), {}).tensors["w"]
    exact = weights.with_(data=rounded.real())
    assert is_coarse(exact, rounded, smooth)  # weights that lie on the grid add no noise
    noisy = weights.with_(data=rounded.real() + RNG.choice([-1, 1], (20, 32)).astype(np.float32))
    assert not is_coarse(noisy, rounded, smooth)


def test_a_state_is_never_cut():
    graph = dense_behind_lstm(20)
    spread = statistics(states(32) * np.array([1e3, *[1e-3] * 31]))
    coarse = rounded_weights(graph, float_ops(graph), {"rnn/sequence": spread}).coarse
    assert "rnn/sequence" not in coarse


def test_grids_are_called_like_what_the_products_read():
    graph = in_int8(dense_behind_lstm(20), {"x": 100 * X})
    readers = {op.inputs[0] for op in graph.ops if op.kind in ("fully_connected", "lstm")}
    assert set(grids_of(graph)) <= readers
