"""Movers, pooling, softmax and conversions against LiteRT's reference kernels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.litert import DEFAULT, run
from support.one_op import assert_equals_litert, one_op, random_inputs

from edgenn.ir import ops
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Activation, Operator, Padding
from edgenn.ir.tensor import INTEGER_RANGES, Quantization, Tensor

DTYPES = ("float32", "int8", "int16")
few = settings(max_examples=12, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


def parameters(rng: np.random.Generator, dtype: str) -> Quantization | None:
    """Random scale; a random zero point where the dtype has one."""
    if dtype == "float32":
        return None
    low, high = INTEGER_RANGES[dtype]
    zero_point = 0 if dtype == "int16" else int(rng.integers(low, high, endpoint=True))
    return Quantization.per_tensor(np.float32(10 ** rng.uniform(-2, -1)), zero_point)


MOVERS: list[tuple[Operator, tuple[int | None, ...], int]] = [
    (ops.Reshape(shape=(-1, 6)), (None, 2, 3), 1),
    (ops.Reshape(shape=(6, 4)), (2, 3, 4), 1),
    (ops.ExpandDims(axis=1), (None, 3, 4), 1),
    (ops.ExpandDims(axis=-1), (2, 3, 4), 1),
    (ops.Squeeze(axes=(1, 3)), (None, 1, 3, 1), 1),
    (ops.Transpose(permutation=(0, 3, 1, 2)), (None, 2, 3, 4), 1),
    (ops.Transpose(permutation=(4, 0, 3, 1, 2)), (2, 2, 3, 4, 2), 1),
    (ops.Transpose(permutation=(5, 4, 0, 3, 1, 2)), (2, 2, 3, 1, 2, 3), 1),
    (ops.Concatenation(axis=-1), (None, 3, 2), 3),
    (ops.Concatenation(axis=1), (2, 3, 2), 2),
    (ops.Split(axis=-1, sizes=(2, 2, 2)), (None, 3, 6), 1),
    (ops.Split(axis=1, sizes=(1, 3, 2)), (None, 6, 2), 1),
    (ops.Split(axis=2, sizes=(5,)), (2, 3, 5), 1),
    (
        ops.StridedSlice(begin=(None, 1, -1), end=(None, 6, None), strides=(1, 2, -1)),
        (None, 7, 3),
        1,
    ),
    (
        ops.StridedSlice(begin=(None, -2, 0), end=(None, -1, 2), strides=(1, 1, 1), squeezed=(1,)),
        (None, 7, 3),
        1,
    ),
    (
        ops.StridedSlice(begin=(None, None), end=(None, 1), strides=(1, 1), squeezed=(1,)),
        (None, 5),
        1,
    ),
    (
        ops.StridedSlice(begin=(0, -1), end=(9, None), strides=(1, 1), squeezed=(1,)),
        (2, 5),
        1,
    ),
    (ops.StridedSlice(begin=(None,) * 5, end=(1,) * 5, strides=(1,) * 5), (2,) * 5, 1),
    (ops.Pad(paddings=((0, 0), (1, 2), (2, 0), (0, 0))), (None, 3, 4, 2), 1),
    (ops.Pad(paddings=((0, 0), (1, 2), (0, 0)), value=-1.5), (None, 3, 4), 1),
    (ops.Pad(paddings=((0, 0), (1, 2)), value=1000.0), (None, 3), 1),
    (ops.Pad(paddings=((0, 0), (1, 2), (0, 0), (1, 0), (0, 1))), (2, 3, 2, 2, 2), 1),
    (ops.MirrorPad(paddings=((0, 0), (1, 2), (2, 0), (0, 0))), (None, 3, 4, 2), 1),
    (ops.MirrorPad(paddings=((0, 0), (1, 2), (0, 0)), mode="symmetric"), (2, 3, 4), 1),
    (ops.Pack(axis=1), (None, 3), 3),
    (ops.Pack(axis=2), (2, 3), 2),
    (ops.Tile(multiples=(1, 2, 3)), (None, 2, 2), 1),
    (ops.BroadcastTo(shape=(4, 2, 3)), (2, 1), 1),
    (ops.Reverse(axes=(1,)), (None, 3, 2), 1),
    (ops.Reverse(axes=(1, 2)), (None, 3, 2), 1),
    (ops.Reverse(axes=(-1, 0)), (2, 3, 2), 1),
    (ops.Reverse(axes=(0, 1, 3)), (2, 3, 2, 2), 1),
    (ops.Gather(axis=0), (9, 4), 1),
    (ops.Gather(axis=1), (None, 5, 3), 1),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("operator", "shape", "count"), MOVERS, ids=repr)
def test_mover(operator, shape, count, dtype):
    rng = np.random.default_rng(1)
    quantization = parameters(rng, dtype)
    operands = [Tensor(f"x{i}", shape, dtype, quantization) for i in range(count)]
    if isinstance(operator, ops.Gather):
        indices = rng.integers(0, shape[operator.axis], (3, 2)).astype(np.int32)
        operands.append(Tensor.constant("indices", indices))
    results = len(operator.infer(operands))
    graph = one_op(operator, operands, [quantization] * results)
    inputs = random_inputs(graph, rng)
    assert_equals_litert(graph, inputs)
    for public, values in run(graph, inputs, DEFAULT).items():
        np.testing.assert_array_equal(values, evaluate(graph, inputs)[public])


@pytest.mark.parametrize("dtype", DTYPES)
def test_gather_of_a_constant_table_by_computed_indices(dtype):
    rng = np.random.default_rng(2)
    quantization = parameters(rng, dtype)
    table = rng.integers(-100, 100, (11, 4)).astype(dtype)
    operands = [
        Tensor.constant("table", table, quantization),
        Tensor("indices", (None, 5), "int32"),
    ]
    graph = one_op(ops.Gather(axis=0), operands, [quantization])
    indices = rng.integers(0, 11, (3, 5)).astype(np.int32)
    assert_equals_litert(graph, {"indices": indices})


@pytest.mark.parametrize("dtype", [*DTYPES, "bool"])
@pytest.mark.parametrize("shape", [(None, 5, 3), (2, 5), (2, None, 2, 3)], ids=str)
def test_steps_of_rows(shape, dtype):
    rng = np.random.default_rng(4)
    quantization = None if dtype == "bool" else parameters(rng, dtype)
    operands = [Tensor("x", shape, dtype, quantization), Tensor("indices", (None, 4), "int32")]
    graph = one_op(ops.GatherSteps(), operands, [quantization])
    inputs = random_inputs(graph, rng, batch=2)
    inputs["indices"] = rng.integers(0, inputs["x"].shape[1], (2, 4)).astype(np.int32)
    expected = [[row[i] for i in indices] for row, indices in zip(*inputs.values(), strict=True)]
    np.testing.assert_array_equal(evaluate(graph, inputs)["y0"], expected)
    assert_equals_litert(graph, inputs)
    assert_equals_litert(graph, inputs, DEFAULT)


def two_scales(dtype: str) -> Graph:
    operands = [
        Tensor("a", (1, 2), dtype, Quantization.per_tensor(0.1)),
        Tensor("b", (1, 3), dtype, Quantization.per_tensor(0.2)),
    ]
    return one_op(ops.Concatenation(), operands, [Quantization.per_tensor(0.3)])


def test_litert_refuses_to_concatenate_int8_of_different_scales():
    """Why the quantiser must give all operands of a concatenation one scale."""
    graph = two_scales("int8")
    with pytest.raises(RuntimeError, match=r"t->params.scale != output->params.scale"):
        run(graph, random_inputs(graph, np.random.default_rng(0)))


def test_concatenation_of_int16_copies_stored_integers_whatever_the_scales():
    graph = two_scales("int16")
    assert_equals_litert(graph, random_inputs(graph, np.random.default_rng(0)))


@pytest.mark.parametrize("kind", [ops.MaxPool2D, ops.AveragePool2D])
@pytest.mark.parametrize("dtype", DTYPES)
@few
@given(
    rng=seeds,
    size=pairs,
    strides=pairs,
    padding=st.sampled_from(list(Padding)),
    activation=st.sampled_from(list(Activation)),
)
def test_pooling(kind, dtype, rng, size, strides, padding, activation):
    quantization = parameters(rng, dtype)
    x = Tensor("x", (None, 6, 7, 3), dtype, quantization)
    operator = kind(size=size, strides=strides, padding=padding, activation=activation)
    graph = one_op(operator, [x], [quantization])
    assert_equals_litert(graph, random_inputs(graph, rng))


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    rng=seeds,
    depth=st.sampled_from([1, 2, 10, 257, 500]),
    exponent=st.floats(-6, 1),
    beta=st.sampled_from([1.0, 0.5, 3.3]),
)
def test_softmax(dtype, rng, depth, exponent, beta):
    """Up to 500 classes: LiteRT 2.3's int8 reference kernel aborts on a sum of 512 or more."""
    if dtype == "int16":
        exponent -= 2
    given = parameters(rng, dtype)
    quantization = given and Quantization.per_tensor(
        np.float32(10**exponent), int(given.zero_point[0])
    )
    operator = ops.Softmax(beta=beta)
    output = None if given is None else operator.output_rule.for_dtype(dtype)
    graph = one_op(operator, [Tensor("x", (None, 2, depth), dtype, quantization)], [output])
    assert_equals_litert(graph, random_inputs(graph, rng))


CONVERSIONS = [
    ("float32", "int8"),
    ("float32", "uint8"),
    ("float32", "int16"),
    ("int8", "int8"),
    ("int8", "int16"),
    ("int8", "uint8"),
    ("uint8", "int8"),
    ("uint8", "int16"),
    ("int16", "int8"),
    ("int16", "int16"),
]


@pytest.mark.parametrize(("source", "target"), CONVERSIONS)
@few
@given(rng=seeds)
def test_quantize(source, target, rng):
    x = Tensor("x", (None, 300), source, parameters(rng, source))
    graph = one_op(ops.Quantize(dtype=target), [x], [parameters(rng, target)])
    assert_equals_litert(graph, random_inputs(graph, rng))


def test_quantize_rounds_ties_away_from_zero():
    x = Tensor("x", (None, 7), "float32")
    graph = one_op(ops.Quantize(), [x], [Quantization.per_tensor(0.5, 3)])
    ties = np.array([[-1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 0.24999999]], np.float32)
    assert_equals_litert(graph, {"x": ties})


@pytest.mark.parametrize(("source", "target"), [("int8", "uint8"), ("uint8", "int8")])
def test_quantize_between_signs_of_one_scale(source, target):
    """The border of a uint8 model: the same scale, zero points 128 apart."""
    points = {"int8": -7, "uint8": 121}
    x = Tensor("x", (1, 256), source, Quantization.per_tensor(0.02, points[source]))
    output = Quantization.per_tensor(0.02, points[target])
    graph = one_op(ops.Quantize(dtype=target), [x], [output])
    assert_equals_litert(graph, random_inputs(graph, np.random.default_rng(0)))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_dequantize(dtype):
    rng = np.random.default_rng(0)
    x = Tensor("x", (None, 300), dtype, parameters(rng, dtype))
    graph = one_op(ops.Dequantize(), [x], [None])
    assert_equals_litert(graph, random_inputs(graph, rng))


@pytest.mark.parametrize(
    ("source", "target"),
    [("float32", "int32"), ("int32", "float32"), ("int32", "int64"), ("float32", "bool"),
     ("bool", "float32"), ("int64", "int32")],
)  # fmt: skip
def test_cast(source, target):
    rng = np.random.default_rng(0)
    graph = one_op(ops.Cast(dtype=target), [Tensor("x", (None, 30), source)], [None])
    values = (10 * rng.standard_normal((2, 30))).astype(source)
    assert_equals_litert(graph, {"x": values})
