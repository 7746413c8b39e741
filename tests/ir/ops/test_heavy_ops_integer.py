"""Convolutions and matrix products against LiteRT's reference kernels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.litert import DEFAULT, run
from support.one_op import assert_equals_litert, one_op, random_inputs

from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Activation, Operator, Padding
from edgenn.ir.ops import (
    BatchMatMul,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    TransposeConv2D,
)
from edgenn.ir.tensor import Array, Quantization, Tensor

BIAS = {"float32": "float32", "int8": "int32", "int16": "int64"}
DTYPES = ("float32", "int8", "int16")
few = settings(max_examples=12, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
activations = st.sampled_from(list(Activation))


def parameters(rng: np.random.Generator, dtype: str) -> Quantization | None:
    if dtype == "float32":
        return None
    scale = np.float32(10 ** rng.uniform(-3, 0))
    return Quantization.per_tensor(scale, int(rng.integers(-128, 128)) if dtype == "int8" else 0)


def activation_tensor(rng: np.random.Generator, shape: tuple, dtype: str) -> Tensor:
    return Tensor("x", shape, dtype, parameters(rng, dtype))


def weights_and_bias(
    rng: np.random.Generator, shape: tuple, axis: int, x: Tensor, bias: bool
) -> list[Tensor]:
    channels = shape[axis]
    if x.quantization is None:
        weights = [Tensor.constant("w", rng.standard_normal(shape).astype(np.float32))]
        extra = Tensor.constant("b", rng.standard_normal(channels).astype(np.float32))
        return [*weights, extra] if bias else weights
    scales = (10 ** rng.uniform(-4, -2, channels)).astype(np.float32)
    data = rng.integers(-127, 128, shape).astype(np.int8)
    weights = [Tensor.constant("w", data, Quantization.per_channel(scales, axis))]
    values = rng.integers(-5000, 5000, channels).astype(BIAS[x.dtype])
    extra = Tensor.constant(
        "b", values, Quantization.per_channel(x.quantization.scale[0] * scales, 0)
    )
    return [*weights, extra] if bias else weights


def output_scale(
    rng: np.random.Generator, operator: Operator, operands: list[Tensor]
) -> Quantization | None:
    """Scales for which outputs fill their range, or overflow it a little."""
    x, weights = operands[:2]
    if x.quantization is None:
        return None
    spread = {"int8": 75.0, "int16": 19000.0}[x.dtype]
    terms = np.prod(weights.shape) / weights.shape[operator.weight_axes[1]]
    size = spread * 75 * np.sqrt(terms) * x.quantization.scale[0] * weights.quantization.scale.max()
    scale = np.float32(size / spread * rng.uniform(0.3, 2))
    zero_point = int(rng.integers(-128, 128)) if x.dtype == "int8" else 0
    return Quantization.per_tensor(scale, zero_point)


def check(rng: np.random.Generator, operator: Operator, operands: list[Tensor]) -> None:
    graph = one_op(operator, operands, [output_scale(rng, operator, operands)])
    inputs = random_inputs(graph, rng)
    assert_equals_litert(graph, inputs)
    assert_near_default_kernels(graph, inputs)


def assert_near_default_kernels(graph: Graph, inputs: dict[str, Array]) -> None:
    """Optimised kernels may round otherwise: one step of the output, 1e-4 in float."""
    ours = evaluate(graph, inputs)["y0"].astype(np.float64)
    theirs = run(graph, inputs, DEFAULT)["y0"].astype(np.float64)
    integer = graph.tensors["y0"].quantization is not None
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1 if integer else 1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
@few
@given(
    rng=seeds,
    strides=pairs,
    dilations=pairs,
    kernel=pairs,
    groups=st.integers(1, 3),
    padding=st.sampled_from(list(Padding)),
    activation=activations,
    bias=st.booleans(),
)
def test_conv_2d(dtype, rng, strides, dilations, kernel, groups, padding, activation, bias):
    depth, filters = (int(n) for n in rng.integers(1, 5, 2))
    x = activation_tensor(rng, (2, 7, 8, depth * groups), dtype)
    operator = Conv2D(
        strides=strides,
        dilations=dilations,
        padding=padding,
        groups=groups,
        activation=activation,
    )
    shape = (filters * groups, *kernel, depth)
    check(rng, operator, [x, *weights_and_bias(rng, shape, 0, x, bias)])


@pytest.mark.parametrize("dtype", DTYPES)
@few
@given(
    rng=seeds,
    stride=st.integers(1, 3),
    dilations=pairs,
    kernel=pairs,
    multiplier=st.integers(1, 3),
    padding=st.sampled_from(list(Padding)),
    activation=activations,
    bias=st.booleans(),
)
def test_depthwise_conv_2d(
    dtype, rng, stride, dilations, kernel, multiplier, padding, activation, bias
):
    depth = int(rng.integers(1, 6))
    x = activation_tensor(rng, (2, 7, 8, depth), dtype)
    operator = DepthwiseConv2D(
        strides=(stride, stride), dilations=dilations, padding=padding, activation=activation
    )
    shape = (1, *kernel, depth * multiplier)
    check(rng, operator, [x, *weights_and_bias(rng, shape, 3, x, bias)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [2, None])
@few
@given(
    rng=seeds,
    strides=pairs,
    kernel=pairs,
    padding=st.sampled_from(list(Padding)),
    activation=activations,
    bias=st.booleans(),
)
def test_transpose_conv_2d(dtype, batch, rng, strides, kernel, padding, activation, bias):
    depth, filters = (int(n) for n in rng.integers(1, 5, 2))
    x = activation_tensor(rng, (batch, 4, 5, depth), dtype)
    height, width = (
        size * stride if padding is Padding.SAME else (size - 1) * stride + max(k, stride)
        for size, stride, k in zip((4, 5), strides, kernel, strict=True)
    )
    operator = TransposeConv2D(
        output_size=(height, width), strides=strides, padding=padding, activation=activation
    )
    shape = (filters, *kernel, depth)
    check(rng, operator, [x, *weights_and_bias(rng, shape, 0, x, bias)])


@pytest.mark.parametrize("dtype", DTYPES)
@few
@given(
    rng=seeds,
    leading=st.lists(st.integers(1, 4), max_size=3),
    batch=st.booleans(),
    activation=activations,
    bias=st.booleans(),
)
def test_fully_connected(dtype, rng, leading, batch, activation, bias):
    depth, units = int(rng.integers(1, 40)), int(rng.integers(1, 20))
    x = activation_tensor(rng, (None if batch else 3, *leading, depth), dtype)
    operator = FullyConnected(activation=activation)
    check(rng, operator, [x, *weights_and_bias(rng, (units, depth), 0, x, bias)])


@pytest.mark.parametrize("dtype", DTYPES)
@few
@given(
    rng=seeds,
    transpose_a=st.booleans(),
    transpose_b=st.booleans(),
    leading=st.sampled_from([((2,), (2,)), ((3, 2), (3, 1)), ((), ()), ((2, 2), (2,))]),
)
def test_batch_matmul(dtype, rng, transpose_a, transpose_b, leading):
    rows, inner, columns = (int(n) for n in rng.integers(1, 9, 3))
    a_shape = (inner, rows) if transpose_a else (rows, inner)
    b_shape = (columns, inner) if transpose_b else (inner, columns)
    a = Tensor("a", (*leading[0], *a_shape), dtype, parameters(rng, dtype))
    b = Tensor("b", (*leading[1], *b_shape), dtype, parameters(rng, dtype))
    y = None
    if dtype != "float32":
        spread = {"int8": 75, "int16": 19000}[dtype]
        size = a.quantization.scale[0] * b.quantization.scale[0] * spread * np.sqrt(inner)
        zero_point = int(rng.integers(-128, 128)) if dtype == "int8" else 0
        y = Quantization.per_tensor(np.float32(size * rng.uniform(0.5, 2)), zero_point)
    graph = one_op(BatchMatMul(transpose_a=transpose_a, transpose_b=transpose_b), [a, b], [y])
    assert_equals_litert(graph, random_inputs(graph, rng))
