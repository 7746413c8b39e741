"""Every builtin that edgenn writes is read back. Witness: LiteRT's reference kernels."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st
from support.altered import altered
from support.litert import DEFAULT, run_bytes
from support.one_op import one_op, random_inputs
from support.quantized_op import quantized_case
from support.read_back import assert_read_back, assert_same, assert_same_border, evaluated

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.exporter import to_tflite
from edgenn.export.tflite.runtime_versions import FIRST_RELEASES
from edgenn.importing import handlers, read_tflite_graph
from edgenn.importing.registry import HANDLERS
from edgenn.ir import ops
from edgenn.ir.operator import Activation, Operator, Padding
from edgenn.ir.ops.function import Scalar, Step
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.registration import import_modules

IMAGE, ROWS, VOLUME = (None, 7, 6, 4), (None, 10), (2, 3, 4)
few = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)

UNARY = [
    ops.Relu(), ops.Relu6(), ops.ReluN1To1(), ops.LeakyRelu(0.1), ops.Logistic(),
    ops.Tanh(), ops.HardSwish(), ops.Gelu(), ops.Gelu(True), ops.LogSoftmax(), ops.Softmax(),
    ops.Softmax(2.0), ops.Abs(), ops.Neg(), ops.Exp(), ops.Log(), ops.Sqrt(), ops.Rsqrt(),
    ops.Square(), ops.Sin(), ops.Cos(), ops.Floor(), ops.Sign(),
]  # fmt: skip
BINARY = [
    ops.Add(), ops.Add(Activation.RELU6), ops.Sub(Activation.RELU), ops.Mul(),
    ops.Mul(Activation.RELU_N1_TO_1), ops.Div(), ops.Maximum(), ops.Minimum(), ops.Prelu(),
    ops.SquaredDifference(), ops.FloorDiv(), ops.FloorMod(), ops.Equal(), ops.NotEqual(),
    ops.Less(), ops.LessEqual(), ops.Greater(), ops.GreaterEqual(),
]  # fmt: skip
MOVING: list[tuple[Operator, tuple[int | None, ...]]] = [
    (ops.Reshape((-1, 4)), IMAGE),
    (ops.Reshape((4, 6)), VOLUME),
    (ops.ExpandDims(1), (None, None, 3)),
    (ops.Squeeze((1,)), (None, 1, 3)),
    (ops.Transpose((0, 2, 1, 3)), IMAGE),
    (ops.Split(2, (2, 4)), IMAGE),
    (ops.Split(-1, (2, 2)), IMAGE),
    (ops.Reverse((1, 2)), IMAGE),
    (ops.Reverse((1, 3)), IMAGE),
    (ops.Pad(((0, 0), (1, 2), (0, 1), (0, 0))), IMAGE),
    (ops.Pad(((0, 0), (1, 2)), 1.5), ROWS),
    (ops.MirrorPad(((0, 0), (1, 2)), "reflect"), ROWS),
    (ops.MirrorPad(((0, 0), (1, 2)), "symmetric"), ROWS),
    (ops.Tile((1, 2)), ROWS),
    (ops.BroadcastTo((5, 3, 4)), (1, 3, 4)),
    (ops.StridedSlice((None, 1, None, -2), (None, 5, 4, None), (1, 2, 1, 1)), IMAGE),
    (ops.StridedSlice((None, -1), (None, None), (1, 1), (1,)), ROWS),
    (ops.StridedSlice((None, 7), (None, 1), (1, -2)), ROWS),
    (ops.MaxPool2D((2, 3), (2, 1), Padding.SAME), IMAGE),
    (ops.AveragePool2D((2, 3), (1, 2), Padding.VALID, Activation.RELU), IMAGE),
    (ops.ResizeNearest((9, 3)), IMAGE),
    (ops.ResizeBilinear((9, 3), align_corners=True, half_pixel_centers=False), IMAGE),
    (ops.ReduceMax((1, 2)), IMAGE),
    (ops.ReduceMin((3,), keep_dims=True), IMAGE),
]
REDUCING = [ops.Mean((1, 2)), ops.Mean((3,), True), ops.Sum((1,)), ops.ReduceProd((1,))]


def kinds(case) -> str:
    return (case[0] if isinstance(case, tuple) else case).kind


def read_back(operator: Operator, *operands: Tensor, seed: int = 0) -> None:
    results = operator.infer(operands)
    graph = one_op(operator, operands, [None] * len(results))
    inputs = random_inputs(graph, np.random.default_rng(seed))
    assert_same_border(assert_read_back(to_tflite(graph), inputs), graph)


def read_back_integers(operator: Operator, shapes, dtype: str, rng: np.random.Generator) -> None:
    if dtype not in operator.integer_dtypes:
        return
    graph, inputs = quantized_case(
        operator, shapes, [dtype] * len(shapes), rng, not_negative=isinstance(operator, ROOTS)
    )
    assert_same_border(assert_read_back(to_tflite(graph), inputs), graph)


ROOTS = (ops.Sqrt, ops.Rsqrt)


def test_every_builtin_that_is_written_has_a_handler():
    import_modules(handlers)
    assert FIRST_RELEASES.keys() <= HANDLERS.keys()


@pytest.mark.parametrize("operator", UNARY, ids=kinds)
def test_functions_of_one_tensor(operator):
    read_back(operator, Tensor("x", ROWS))
    for dtype in ("int8", "int16"):
        read_back_integers(operator, [(2, 40)], dtype, np.random.default_rng(1))


@pytest.mark.parametrize("operator", [ops.Ceil(), ops.Round(), ops.Elu()], ids=kinds)
def test_functions_without_a_reference_kernel(operator):
    graph = one_op(operator, [Tensor("x", ROWS)], [None])
    inputs, content = {"x": np.linspace(-3, 3, 20).reshape(2, 10).astype("f4")}, to_tflite(graph)
    assert_same(evaluated(read_tflite_graph(content), inputs), run_bytes(content, inputs, DEFAULT))


@pytest.mark.parametrize("operator", BINARY, ids=kinds)
def test_functions_of_two_tensors(operator):
    read_back(operator, Tensor("x", ROWS), Tensor("y", (10,)))
    for dtype in ("int8", "int16"):
        read_back_integers(operator, [(2, 40), (1, 40)], dtype, np.random.default_rng(2))


@pytest.mark.parametrize(("operator", "shape"), MOVING, ids=map(kinds, MOVING))
def test_operators_that_move_values(operator, shape):
    read_back(operator, Tensor("x", shape))
    if len(operator.infer([Tensor("x", shape)])) == 1:
        sizes = [2 if size is None else size for size in shape]
        read_back_integers(operator, [sizes], "int8", np.random.default_rng(3))


@pytest.mark.parametrize("operator", REDUCING, ids=kinds)
def test_reductions(operator):
    read_back(operator, Tensor("x", IMAGE))
    if not isinstance(operator, ops.Sum):  # its reference kernel reads int8 as uint8
        read_back_integers(operator, [(2, 7, 6, 4)], "int8", np.random.default_rng(4))


@pytest.mark.parametrize("operator", [ops.ArgMax(1), ops.ArgMin(-1, "int64"), ops.CumSum(1)])
def test_operators_along_an_axis(operator):
    read_back(operator, Tensor("x", IMAGE))


@pytest.mark.parametrize("operator", [ops.LogicalAnd(), ops.LogicalOr()], ids=kinds)
def test_logic_of_two(operator):
    read_back(operator, Tensor("x", ROWS, "bool"), Tensor("y", ROWS, "bool"))


@pytest.mark.parametrize(
    "operator", [ops.LogicalNot(), ops.ReduceAny((1,)), ops.ReduceAll((1,)), ops.CountTrue()]
)
def test_logic_of_one(operator):
    read_back(operator, Tensor("x", (2, 10), "bool"))


@pytest.mark.parametrize("operator", [ops.Concatenation(1), ops.Concatenation(-1), ops.Pack(1)])
def test_joining(operator):
    read_back(operator, *(Tensor(name, (2, 3, 4)) for name in "xyz"))
    read_back_integers(operator, [(2, 3, 4)] * 3, "int8", np.random.default_rng(5))


def test_selection():
    condition, x, y = Tensor("c", ROWS, "bool"), Tensor("x", ROWS), Tensor("y", ROWS)
    read_back(ops.Select(), condition, x, y)


@pytest.mark.parametrize("indices", [np.array([2, 0]), np.array([[1], [3]]), np.array(1)])
def test_constant_indices(indices):
    constant = Tensor.constant("i", indices.astype(np.int32))
    read_back(ops.Gather(1), Tensor("x", (None, 5, 2)), constant)


def test_steps_of_rows():
    indices = Tensor.constant("i", np.array([[2, 0], [1, 1]], np.int32))
    read_back(ops.GatherSteps(), Tensor("x", (2, 5, 3)), indices)


def test_powers():
    exponent = Tensor.constant("e", np.array(2, np.float32))
    read_back(ops.Pow(), Tensor("x", ROWS), exponent)


@pytest.mark.parametrize("dtype", ["int32", "bool", "float16", "int64"])
def test_casts(dtype):
    read_back(ops.Cast(dtype), Tensor("x", ROWS))


def test_a_float16_constant():
    half = Tensor.constant("half", np.linspace(-2, 2, 10).astype(np.float16))
    builder = one_op(ops.Dequantize(), [half], [None])
    assert_read_back(to_tflite(builder), {})


@few
@given(rng=seeds, padding=st.sampled_from(list(Padding)), fused=st.sampled_from(list(Activation)),
       sizes=st.tuples(*[st.integers(1, 3)] * 6))  # fmt: skip
def test_convolutions(rng, padding, fused, sizes):
    kh, kw, sh, sw, dh, dw = sizes
    dilations = (dh, dw) if (sh, sw) == (1, 1) else (1, 1)
    x = Tensor("x", (None, 9, 8, 4))
    shared = {"strides": (sh, sw), "padding": padding, "activation": fused}
    for operator, shape in (
        (ops.Conv2D(dilations=dilations, **shared), (5, kh, kw, 4)),
        (ops.Conv2D(groups=2, **shared), (6, kh, kw, 2)),
        (ops.DepthwiseConv2D(dilations=dilations, **shared), (1, kh, kw, 8)),
    ):
        kernel = Tensor.constant("w", rng.standard_normal(shape).astype(np.float32))
        read_back(operator, x, kernel)


@pytest.mark.parametrize("batch", [None, 2])
def test_a_transposed_convolution(batch):
    kernel = Tensor.constant("w", np.random.default_rng(0).normal(size=(3, 3, 3, 4)).astype("f4"))
    operator = ops.TransposeConv2D((2, 2), Padding.SAME, output_size=(14, 12))
    read_back(operator, Tensor("x", (batch, 7, 6, 4)), kernel)


@pytest.mark.parametrize("shape", [(None, 10), (None, 3, 10), (None, None, 10), (2, 3, 4, 10)])
def test_dense_layers(shape):
    rng = np.random.default_rng(0)
    weights = Tensor.constant("w", rng.normal(size=(6, 10)).astype(np.float32))
    bias = Tensor.constant("b", rng.normal(size=6).astype(np.float32))
    read_back(ops.FullyConnected(Activation.RELU), Tensor("x", shape), weights, bias)
    read_back(ops.FullyConnected(), Tensor("x", shape), weights)


@pytest.mark.parametrize("transposed", [(False, False), (True, False), (False, True)])
def test_matrix_products(transposed):
    a, b = (3, 4), (4, 5)
    a, b = (a[::-1] if transposed[0] else a), (b[::-1] if transposed[1] else b)
    operator = ops.BatchMatMul(*transposed)
    read_back(operator, Tensor("a", (2, *a)), Tensor("b", (2, *b)))
    read_back_integers(operator, [(2, *a), (2, *b)], "int8", np.random.default_rng(6))


def test_shapes_of_tensors():
    read_back(ops.ShapeOf(), Tensor("x", IMAGE))
    read_back(ops.ShapeOf("int64"), Tensor("x", IMAGE))


def test_filling():
    sizes = Tensor.constant("sizes", np.array([2, 3], np.int32))
    read_back(ops.Fill(2), sizes, Tensor("value", ()))


def test_a_part_put_into_a_tensor():
    start = Tensor.constant("start", np.array([1, 9], np.int32))  # moved so that it fits
    read_back(ops.UpdateSlice(), Tensor("x", (4, 5)), Tensor("part", (2, 3)), start)


def test_a_slice_whose_place_is_computed():
    start = Tensor("start", (2,), "int32")
    graph = one_op(ops.SliceAt((2, -1)), [Tensor("x", (5, 4)), start], [None])
    x = np.arange(20, dtype=np.float32).reshape(5, 4)
    assert_read_back(to_tflite(graph), {"x": x, "start": np.array([2, 1], np.int32)})


@pytest.mark.parametrize("dtype", ["float32", "bool", "int32"])
def test_a_table_that_is_looked_up(dtype):
    """CAST, ADD and GATHER of stored integers."""
    steps = {
        "float32": (Step(ops.Exp(), (0,)), Step(ops.Add(), (1, Scalar(0.5)))),
        "bool": (Step(ops.Greater(), (0, Scalar(0.25))),),
        "int32": (Step(ops.Cast("int32"), (0,)),),
    }
    output = Quantization.per_tensor(0.02, -128) if dtype == "float32" else None
    x = Tensor("x", (None, 256), "int8", Quantization.per_tensor(0.01, 3))
    graph = one_op(ops.ElementwiseFunction(steps[dtype]), [x], [output])
    assert_read_back(to_tflite(graph), {"x": np.arange(-128, 128, dtype=np.int8)[np.newaxis]})


def joined(dtype: str, content: bytes) -> bytes:
    def change(model):
        for tensor in model.subgraphs[0].tensors:
            tensor.type = getattr(schema.TensorType, dtype)

    return altered(content, change)


def test_integers_of_several_scales_are_joined_as_they_are_stored_but_for_uint8():
    scales = [Quantization.per_tensor(scale) for scale in (0.1, 0.2)]
    x, y = (Tensor(n, (2, 3), "int16", q) for n, q in zip("xy", scales, strict=True))
    content = to_tflite(one_op(ops.Concatenation(1), [x, y], [scales[0]]))
    inputs = {name: np.arange(6, dtype=np.int16).reshape(2, 3) for name in "xy"}
    assert_read_back(content, inputs)
    with pytest.raises(UnsupportedError, match=r"CONCATENATION cannot be read.*several scales"):
        read_tflite_graph(joined("UINT8", content))
