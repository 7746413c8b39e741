"""Quantised operators: ONNX Runtime on the QDQ file against integer evaluation of the graph.

ONNX Runtime rounds ties to even and rescales in float32, LiteRT rounds twice in fixed point:
results are one step apart at most, but where LiteRT's int16 kernels are approximations.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.one_op import one_op, random_inputs
from support.onnx_files import assert_equals_onnxruntime, steps_apart
from support.quantized_op import quantization_of, quantized_case, random_quantization
from support.shapes import broadcasting_shapes, few, generators, shapes

from edgenn.ir import ops
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Activation, Operator, OutputRule, Padding
from edgenn.ir.ops.function import Scalar, Step
from edgenn.ir.tensor import Array, Quantization, Tensor

ONE_STEP = 1.01
LITERT_INT16_ERROR: dict[type[Operator], float] = {
    ops.Tanh: 4,
    ops.Softmax: 4,
    ops.Exp: 40,
    ops.Gelu: 60,
    ops.ResizeBilinear: 2 * 65536 / 1024,
}
"""Steps by which LiteRT is off: it interpolates between 513 samples, weighs pixels in 1/1024."""


DTYPES = pytest.mark.parametrize("dtype", ["int8", "int16"])


def assert_one_step(graph: Graph, inputs: dict[str, Array], error: float = 0):
    for steps in steps_apart(graph, inputs).values():
        assert steps.max(initial=0) <= ONE_STEP + error


def heavy(operator: Operator, x_shape, w_shape, dtype: str, rng: np.random.Generator, bias=True):
    """An op with int8 weights per channel and a bias in the accumulator's scale."""
    axis = operator.weight_axes[1]
    x_q = random_quantization(dtype, rng)
    kernel = rng.standard_normal(w_shape)
    others = tuple(i for i in range(kernel.ndim) if i != axis)
    w_q = Quantization.per_channel((np.abs(kernel).max(axis=others) / 127).astype(np.float32), axis)
    operands = [
        Tensor("x", x_shape, dtype, x_q),
        Tensor.constant("w", w_q.quantize(kernel, "int8"), w_q),
    ]
    if bias:
        b_q = Quantization.per_channel(x_q.scale[0] * w_q.scale, 0)
        stored = rng.integers(-3000, 3000, w_shape[axis])
        bias_dtype = "int64" if dtype == "int16" else "int32"
        operands.append(Tensor.constant("b", stored.astype(bias_dtype), b_q))
    inputs = random_inputs(one_op(operator, operands, [None]), rng)
    real = [x_q.dequantize(inputs["x"]), *(operand.real() for operand in operands[1:])]
    (result,) = operator.evaluate(real)
    rule = operator.output_rule
    output = x_q if rule is OutputRule.SAME_AS_INPUT else quantization_of(result, dtype, rng)
    return one_op(operator, operands, [output]), inputs


ACTIVATIONS = st.sampled_from(list(Activation))
PADDINGS = st.sampled_from(list(Padding))


@DTYPES
@few
@given(
    act=ACTIVATIONS, padding=PADDINGS, stride=st.integers(1, 2), bias=st.booleans(), rng=generators
)
def test_conv(dtype, act, padding, stride, bias, rng):
    conv = ops.Conv2D(strides=(stride, stride), padding=padding, activation=act)
    assert_one_step(*heavy(conv, (None, 7, 6, 4), (5, 3, 2, 4), dtype, rng, bias))


@DTYPES
@few
@given(act=ACTIVATIONS, padding=PADDINGS, rng=generators)
def test_depthwise(dtype, act, padding, rng):
    conv = ops.DepthwiseConv2D(padding=padding, activation=act)
    assert_one_step(*heavy(conv, (None, 7, 6, 4), (1, 3, 2, 8), dtype, rng))


@DTYPES
@few
@given(padding=PADDINGS, rng=generators)
def test_transposed_conv(dtype, padding, rng):
    size = (8, 6) if padding is Padding.SAME else (9, 7)
    conv = ops.TransposeConv2D(strides=(2, 2), padding=padding, output_size=size)
    assert_one_step(*heavy(conv, (None, 4, 3, 4), (5, 3, 3, 4), dtype, rng))


@DTYPES
@pytest.mark.parametrize("lead", [(None,), (None, 3), (None, 2, 3), (None, None)], ids=str)
@few
@given(act=ACTIVATIONS, bias=st.booleans(), rng=generators)
def test_dense(dtype, lead, act, bias, rng):
    graph, inputs = heavy(ops.FullyConnected(act), (*lead, 8), (6, 8), dtype, rng, bias)
    assert_one_step(graph, inputs)


@DTYPES
@pytest.mark.parametrize("kind", [ops.MaxPool2D, ops.AveragePool2D])
@few
@given(act=ACTIVATIONS, padding=PADDINGS, rng=generators)
def test_pooling(dtype, kind, act, padding, rng):
    case = quantized_case(kind((3, 2), (2, 1), padding, act), [(2, 7, 6, 3)], [dtype], rng)
    assert_one_step(*case)


BINARY = [o(activation=a) for o in (ops.Add, ops.Sub, ops.Mul) for a in Activation]


@DTYPES
@pytest.mark.parametrize("operator", [*BINARY, ops.Maximum(), ops.Minimum()], ids=str)
@few
@given(pair=broadcasting_shapes(), fixed=st.sampled_from([None, 0, 1]), rng=generators)
def test_binary(dtype, operator, pair, fixed, rng):
    assert_one_step(*quantized_case(operator, pair, [dtype] * 2, rng, constant=fixed))


UNARY = [
    ops.Relu(), ops.Relu6(), ops.LeakyRelu(0.3), ops.Logistic(), ops.Tanh(), ops.Softmax(),
    ops.Abs(), ops.HardSwish(), ops.Elu(), ops.Exp(), ops.Gelu(), ops.LogSoftmax(),
    ops.Mean((1, 2)), ops.Mean((1, 2), keep_dims=True), ops.Mean((3,)), ops.ReduceMax((1,)),
    ops.ArgMax(-1), ops.Reshape((-1, 24)), ops.Transpose((0, 3, 1, 2)), ops.Reverse((1, 2)),
    ops.Pad(((0, 0), (1, 2), (0, 0), (0, 1))), ops.Pad(((0, 0), (0, 0), (1, 0), (0, 0)), value=1.0),
    ops.MirrorPad(((0, 0), (1, 1), (0, 2), (0, 0)), "symmetric"),
    ops.StridedSlice((None, 1, None, 0), (None, 3, None, 1), (1, 1, 2, 1), (3,)),
    ops.ResizeNearest((5, 8)), ops.ResizeBilinear((5, 8)), ops.Tile((1, 2, 1, 1)),
]  # fmt: skip


@DTYPES
@pytest.mark.parametrize("operator", UNARY, ids=str)
@few
@given(rng=generators)
def test_unary(dtype, operator, rng):
    if dtype not in operator.integer_dtypes:
        pytest.skip(f"no {dtype} kernel to compare with")
    error = LITERT_INT16_ERROR.get(type(operator), 0) if dtype == "int16" else 0
    assert_one_step(*quantized_case(operator, [(2, 4, 3, 2)], [dtype], rng), error)


@DTYPES
def test_split(dtype):
    rng = np.random.default_rng(0)
    x = Tensor("x", (None, 2, 3, 4), dtype, random_quantization(dtype, rng))
    graph = one_op(ops.Split(3, (1, 3)), [x], [x.quantization] * 2)
    assert_one_step(graph, random_inputs(graph, rng))


@DTYPES
@few
@given(shape=shapes(1, 3), rng=generators)
def test_concatenation_and_pack(dtype, shape, rng):
    for operator in (ops.Concatenation(-1), ops.Pack(0)):
        assert_one_step(*quantized_case(operator, [shape] * 2, [dtype] * 2, rng))


@DTYPES
@few
@given(a=st.booleans(), b=st.booleans(), fixed=st.sampled_from([None, 1]), rng=generators)
def test_batch_matmul(dtype, a, b, fixed, rng):
    pair = [(2, 4, 3) if a else (2, 3, 4), (2, 5, 4) if b else (2, 4, 5)]
    case = quantized_case(ops.BatchMatMul(a, b), pair, [dtype] * 2, rng, constant=fixed)
    assert_one_step(*case)


SOFTSIGN = ops.ElementwiseFunction(
    (
        Step(ops.Abs(), (0,)),
        Step(ops.Add(), (1, Scalar(1.0))),
        Step(ops.Div(), (0, 2)),
    )
)
ROOT = ops.ElementwiseFunction((Step(ops.Sqrt(), (0,)),))
IS_LARGE = ops.ElementwiseFunction((Step(ops.Greater(), (0, Scalar(1.0))),))


@pytest.mark.parametrize("operator", [SOFTSIGN, ROOT, IS_LARGE])
def test_functions_are_looked_up(operator):
    """Every stored value: to the bit, also where the function is not defined."""
    output = None if operator is IS_LARGE else Quantization.per_tensor(0.02, 5)
    graph = one_op(
        operator, [Tensor("x", (16, 16), "int8", Quantization.per_tensor(0.03, -7))], [output]
    )
    if output is not None:
        y = graph.tensors["y0"].with_(dtype="int8")
        graph = graph.with_(tensors={**graph.tensors, "y0": y})
    for steps in steps_apart(
        graph, {"x": np.arange(-128, 128).astype(np.int8).reshape(16, 16)}
    ).values():
        assert steps.max() < 0.01


def test_float_functions_are_their_steps():
    graph = one_op(SOFTSIGN, [Tensor("x", (3, 4))], [None])
    assert_equals_onnxruntime(graph, random_inputs(graph, np.random.default_rng(0)))


@pytest.mark.parametrize("operator", [ops.Log(), ops.Sqrt(), ops.Rsqrt()], ids=str)
@few
@given(rng=generators)
def test_functions_of_positive_numbers(operator, rng):
    """In int8: near 0 LiteRT's int16 tables are far from these functions."""
    case = quantized_case(operator, [(2, 4, 3, 2)], ["int8"], rng, not_negative=True)
    assert_one_step(*case)
