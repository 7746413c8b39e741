"""Every operator: NumPy evaluation of the graph against ONNX Runtime on the written file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.one_op import one_op, random_input, random_inputs
from support.onnx_files import assert_equals_onnxruntime
from support.shapes import broadcasting_shapes, few, generators, shapes

import edgenn.ir.ops as ops
from edgenn.export.onnx.exporter import load_emitters
from edgenn.export.onnx.registry import EMITTERS
from edgenn.ir.operator import Activation, Operator, Padding
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.ir.tensor import Tensor

OF_TFLITE_FILES = {FusedLstm, ops.Fill, ops.ShapeOf, ops.SliceAt, ops.UpdateSlice, ops.While}
"""What only TFLite has, or only a .tflite that was read back."""
OPERATORS = [
    c
    for c in Operator.registry.values()
    if c.__module__.startswith("edgenn.ir.ops.") and c not in OF_TFLITE_FILES
]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.kind)
def test_operator_has_an_emitter(operator: type[Operator]):
    load_emitters()
    assert operator in EMITTERS


def single(operator: Operator, rng: np.random.Generator, *operands, positive: bool = False):
    """Compares a graph of one op; operands are ``(shape, dtype)`` or arrays (constants)."""
    tensors = []
    for index, operand in enumerate(operands):
        name = f"x{index}"
        if isinstance(operand, np.ndarray):
            tensors.append(Tensor.constant(name, operand))
        else:
            tensors.append(Tensor(name, *operand))
    count = len(operator.infer(tensors))
    graph = one_op(operator, tensors, [None] * count)
    inputs = random_inputs(graph, rng)
    if positive:
        inputs = {name: np.abs(x) + np.array(0.1, x.dtype) for name, x in inputs.items()}
    assert_equals_onnxruntime(graph, inputs)


def f32(*shape):
    return tuple(shape), "float32"


ACTIVATED = [o(activation=a) for o in (ops.Add, ops.Sub, ops.Mul, ops.Div) for a in Activation]
BINARY = [*ACTIVATED, ops.Maximum(), ops.Minimum(), ops.SquaredDifference()]
COMPARISONS = [
    ops.Equal(),
    ops.NotEqual(),
    ops.Less(),
    ops.LessEqual(),
    ops.Greater(),
    ops.GreaterEqual(),
]


@pytest.mark.parametrize("operator", [*BINARY, *COMPARISONS, ops.FloorMod()], ids=str)
@few
@given(pair=broadcasting_shapes(), rng=generators)
def test_binary(operator, pair, rng):
    single(operator, rng, *[(shape, "float32") for shape in pair])


@pytest.mark.parametrize("operator", [ops.Pow(), ops.FloorDiv()], ids=str)
@few
@given(pair=broadcasting_shapes(), rng=generators)
def test_binary_of_positive_numbers(operator, pair, rng):
    single(operator, rng, *[(shape, "float32") for shape in pair], positive=True)


INTEGER_BINARY = [ops.Add(), ops.Sub(), ops.Mul(), ops.Maximum(), ops.Minimum(), *COMPARISONS]


@pytest.mark.parametrize("operator", INTEGER_BINARY, ids=str)
def test_integers(operator):
    rng = np.random.default_rng(0)
    single(operator, rng, ((3, 4), "int32"), rng.integers(-5, 5, (4,), "int32"))


@pytest.mark.parametrize("operator", [ops.FloorDiv(), ops.FloorMod()], ids=str)
def test_integer_division(operator):
    divisors = np.array([-7, -2, 3, 5], np.int32)
    single(operator, np.random.default_rng(0), ((8, 4), "int32"), divisors)


@pytest.mark.parametrize("operator", [ops.LogicalAnd(), ops.LogicalOr()], ids=str)
@few
@given(pair=broadcasting_shapes(), rng=generators)
def test_logic(operator, pair, rng):
    single(operator, rng, *[(shape, "bool") for shape in pair])


@few
@given(triple=broadcasting_shapes(3), rng=generators)
def test_select(triple, rng):
    dtypes = ["bool", "float32", "float32"]
    single(ops.Select(), rng, *zip(triple, dtypes, strict=True))


UNARY = [
    ops.Abs(), ops.Neg(), ops.Exp(), ops.Square(), ops.Sin(), ops.Cos(), ops.Floor(), ops.Ceil(),
    ops.Round(), ops.Sign(), ops.Relu(), ops.Relu6(), ops.ReluN1To1(), ops.LeakyRelu(0.3),
    ops.Elu(), ops.Logistic(), ops.Tanh(), ops.HardSwish(), ops.Gelu(), ops.Gelu(approximate=True),
    ops.Softmax(), ops.Softmax(beta=0.5), ops.LogSoftmax(), ops.Cast("int32"), ops.Cast("bool"),
]  # fmt: skip


@pytest.mark.parametrize("operator", UNARY, ids=str)
@few
@given(shape=shapes(1, 5), rng=generators)
def test_unary(operator, shape, rng):
    single(operator, rng, f32(*shape))


@pytest.mark.parametrize("operator", [ops.Log(), ops.Sqrt(), ops.Rsqrt()], ids=str)
@few
@given(shape=shapes(1, 5), rng=generators)
def test_unary_of_positive_numbers(operator, shape, rng):
    single(operator, rng, f32(*shape), positive=True)


def test_logical_not():
    single(ops.LogicalNot(), np.random.default_rng(0), ((3, 4), "bool"))


@pytest.mark.parametrize("alpha", [(), (4,), (3, 4), (2, 1, 3, 4)], ids=str)
def test_prelu(alpha):
    rng = np.random.default_rng(0)
    single(ops.Prelu(), rng, f32(1, 5, 3, 4), rng.standard_normal(alpha).astype(np.float32))


REDUCTIONS = [ops.Mean, ops.Sum, ops.ReduceMax, ops.ReduceMin, ops.ReduceProd]


@pytest.mark.parametrize("kind", [*REDUCTIONS, ops.ReduceAny, ops.ReduceAll])
@few
@given(data=st.data(), shape=shapes(1, 5), keep_dims=st.booleans(), rng=generators)
def test_reduction(kind, data, shape, keep_dims, rng):
    axes = data.draw(st.sets(st.sampled_from(range(len(shape)))))
    dtype = "float32" if kind in REDUCTIONS else "bool"
    single(kind(tuple(sorted(axes)), keep_dims), rng, (shape, dtype))


@pytest.mark.parametrize("kind", [ops.ArgMax, ops.ArgMin])
@few
@given(
    data=st.data(), shape=shapes(1, 4), dtype=st.sampled_from(["int32", "int64"]), rng=generators
)
def test_arg_reduction(kind, data, shape, dtype, rng):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    single(kind(axis, dtype), rng, f32(*shape))


@few
@given(data=st.data(), shape=shapes(1, 4), rng=generators)
def test_cumsum(data, shape, rng):
    single(ops.CumSum(data.draw(st.integers(-len(shape), len(shape) - 1))), rng, f32(*shape))


PADDINGS = st.sampled_from(list(Padding))
ACTIVATIONS = st.sampled_from(list(Activation))
PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


def weights(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@few
@given(
    size=st.tuples(st.integers(7, 9), st.integers(7, 9)), kernel=PAIRS, steps=PAIRS,
    dilated=st.booleans(), padding=PADDINGS, groups=st.sampled_from([1, 2]), act=ACTIVATIONS,
    bias=st.booleans(), rng=generators,
)  # fmt: skip
def test_conv(size, kernel, steps, dilated, padding, groups, act, bias, rng):
    how = {"dilations": steps} if dilated else {"strides": steps}
    conv = ops.Conv2D(padding=padding, groups=groups, activation=act, **how)
    operands = [weights(rng, 6, *kernel, 4 // groups), *([weights(rng, 6)] if bias else [])]
    single(conv, rng, f32(None, *size, 4), *operands)


@few
@given(
    size=st.tuples(st.integers(7, 9), st.integers(7, 9)), kernel=PAIRS, stride=st.integers(1, 3),
    padding=PADDINGS, multiplier=st.integers(1, 3), act=ACTIVATIONS, rng=generators,
)  # fmt: skip
def test_depthwise(size, kernel, stride, padding, multiplier, act, rng):
    conv = ops.DepthwiseConv2D(strides=(stride, stride), padding=padding, activation=act)
    channels = 3 * multiplier
    operands = [weights(rng, 1, *kernel, channels), weights(rng, channels)]
    single(conv, rng, f32(None, *size, 3), *operands)


@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize("size", [(8, 7), (5, 6)])
@few
@given(rng=generators)
def test_same_convolution_of_an_open_size(strides, size, rng):
    conv = ops.Conv2D(strides=strides, padding=Padding.SAME)
    x = Tensor("x", (None, None, None, 2))
    operands = [x, Tensor.constant("w", weights(rng, 4, 3, 2, 2))]
    graph = one_op(conv, operands, [None])
    assert_equals_onnxruntime(graph, {"x": weights(rng, 2, *size, 2)})


@few
@given(
    size=PAIRS, kernel=PAIRS, strides=PAIRS, padding=PADDINGS, extra=PAIRS, act=ACTIVATIONS,
    rng=generators,
)  # fmt: skip
def test_transposed_conv(size, kernel, strides, padding, extra, act, rng):
    output = tuple(
        n * s - min(e, s) + 1 if padding is Padding.SAME else (n - 1) * s + k + min(e, s) - 1
        for n, k, s, e in zip(size, kernel, strides, extra, strict=True)
    )
    conv = ops.TransposeConv2D(strides=strides, padding=padding, activation=act, output_size=output)
    single(conv, rng, f32(None, *size, 4), weights(rng, 3, *kernel, 4), weights(rng, 3))


@pytest.mark.parametrize("kind", [ops.MaxPool2D, ops.AveragePool2D])
@few
@given(
    size=st.tuples(st.integers(5, 8), st.integers(5, 8)), window=PAIRS, strides=PAIRS,
    padding=PADDINGS, act=ACTIVATIONS, rng=generators,
)  # fmt: skip
def test_pooling(kind, size, window, strides, padding, act, rng):
    single(kind(window, strides, padding, act), rng, f32(None, *size, 3))


@few
@given(lead=shapes(0, 3), act=ACTIVATIONS, bias=st.booleans(), rng=generators)
def test_dense(lead, act, bias, rng):
    operands = [weights(rng, 5, 4), *([weights(rng, 5)] if bias else [])]
    single(ops.FullyConnected(act), rng, f32(*lead, 4), *operands)


@few
@given(lead=shapes(0, 2), a=st.booleans(), b=st.booleans(), fixed=st.booleans(), rng=generators)
def test_batch_matmul(lead, a, b, fixed, rng):
    left = (*lead, 4, 3) if a else (*lead, 3, 4)
    right = (5, 4) if b else (4, 5)
    matmul = ops.BatchMatMul(a, b)
    single(matmul, rng, f32(*left), weights(rng, *right) if fixed else f32(*lead, *right))


SAMPLINGS = [{"half_pixel_centers": h, "align_corners": a} for h, a in [(1, 0), (0, 1), (0, 0)]]


@pytest.mark.parametrize("kind", [ops.ResizeNearest, ops.ResizeBilinear])
@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
@few
@given(
    size=st.tuples(*[st.integers(1, 12)] * 2),
    to=st.tuples(*[st.integers(1, 20)] * 2),
    rng=generators,
)
def test_resize(kind, sampling, size, to, rng):
    sampling = {key: bool(value) for key, value in sampling.items()}
    single(kind(to, **sampling), rng, f32(None, *size, 2))


def test_movers():
    """Operators that move values, each with every option."""
    rng = np.random.default_rng(0)
    x = f32(None, 4, 5, 6)
    cases = [
        ops.Reshape((-1, 120)),
        ops.Reshape((-1, 20, 6)),
        ops.Reshape((-1, 4, 1, 5, 6)),
        ops.Reshape((2, 5, 4, 6)),
        ops.ExpandDims(0),
        ops.ExpandDims(2),
        ops.ExpandDims(-1),
        ops.Transpose((0, 3, 1, 2)),
        ops.Transpose((0, 2, 3, 1)),
        ops.Transpose((0, 2, 1, 3)),
        ops.Transpose((3, 2, 1, 0)),
        ops.Split(-1, (1, 2, 3)),
        ops.Split(1, (2, 2)),
        ops.StridedSlice((None, 1, -3, 0), (None, 3, None, 6), (1, 1, 1, 2)),
        ops.StridedSlice((None, None, None, 2), (None, None, None, 3), (1, 1, 1, 1), (3,)),
        ops.StridedSlice((None, 3, 1, -1), (None, None, 2, None), (1, 1, 1, 1), (1, 2, 3)),
        ops.StridedSlice((None, -1, None, 5), (None, 0, None, None), (1, -2, -1, -3)),
        ops.Pad(((0, 0), (1, 2), (0, 3), (1, 0))),
        ops.Pad(((0, 0), (1, 0), (0, 0), (0, 0)), value=-1.5),
        ops.MirrorPad(((0, 0), (1, 2), (0, 3), (1, 0)), "reflect"),
        ops.MirrorPad(((0, 0), (4, 2), (0, 5), (1, 0)), "symmetric"),
        ops.Tile((1, 2, 1, 3)),
        ops.BroadcastTo((3, 2, 4, 5, 6)),
        ops.Reverse((1,)),
        ops.Reverse((0, -1)),
        ops.Squeeze(()),
    ]
    for operator in cases:
        single(operator, rng, x)
    single(ops.Squeeze((1, 3)), rng, f32(None, 1, 5, 1))
    single(ops.BroadcastTo((3, 4, 6)), rng, f32(4, 1))


@few
@given(data=st.data(), shape=shapes(1, 4), count=st.integers(1, 3), rng=generators)
def test_concatenation_and_pack(data, shape, count, rng):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    single(ops.Concatenation(axis), rng, *[f32(*shape)] * count)
    single(ops.Pack(data.draw(st.integers(0, len(shape)))), rng, *[f32(*shape)] * count)


@pytest.mark.parametrize("indices", [(), (3,), (2, 3)], ids=str)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather(axis, indices):
    rng = np.random.default_rng(0)
    single(ops.Gather(axis), rng, f32(4, 5, 6), rng.integers(-4, 4, indices, "int32"))


@pytest.mark.parametrize("shape", [(None, 5), (None, None, 3)], ids=str)
def test_gather_steps(shape):
    rng = np.random.default_rng(0)
    indices = rng.integers(0, 2, (2, 4)).astype(np.int32)
    single(ops.GatherSteps(), rng, (shape, "float32"), indices)


def test_count_true():
    single(ops.CountTrue(), np.random.default_rng(0), ((3, 7), "bool"))


def test_embedding():
    rng = np.random.default_rng(0)
    table = Tensor.constant("table", weights(rng, 10, 4))
    graph = one_op(ops.Gather(), [table, Tensor("x", (None, 7), "int32")], [None])
    assert_equals_onnxruntime(graph, {"x": random_input(rng, (2, 7), "int32") % 10})


@pytest.mark.parametrize("kind", [ops.ResizeNearest, ops.ResizeBilinear])
def test_resize_of_an_open_size(kind):
    graph = one_op(kind((6, 10)), [Tensor("x", (None, None, 5, 2))], [None])
    assert_equals_onnxruntime(graph, {"x": weights(np.random.default_rng(0), 2, 3, 5, 2)})
