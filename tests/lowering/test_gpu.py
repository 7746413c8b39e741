"""What LiteRT's GPU runtime refuses or gets wrong, written in ops that it computes right."""

from collections.abc import Callable

import numpy as np
import pytest
from support.artifacts import write_tflite
from support.gpu import gpu  # noqa: F401 - a fixture
from support.litert import run
from support.one_op import one_op, random_inputs

from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Activation
from edgenn.ir.ops.function import Scalar, Step
from edgenn.ir.tensor import Quantization, Tensor
from edgenn.lowering.gpu import for_gpu
from edgenn.runners.litert_gpu import LiteRTGpuRunner

RNG = np.random.default_rng(5)
SEEDED = RNG.bit_generator.state
STEP = Quantization.per_tensor(0.05, 3)
SOFTPLUS = ops.ElementwiseFunction(
    (Step(ops.Exp(), (0,)), Step(ops.Add(), (1, Scalar(1.0))), Step(ops.Log(), (2,)))
)


@pytest.fixture(autouse=True)
def _same_numbers():
    """For each test, whatever ran before it."""
    RNG.bit_generator.state = SEEDED


def x(*shape: int, dtype: str = "float32") -> Tensor:
    quantization = STEP if dtype == "int8" else None
    return Tensor("x", shape, dtype, quantization)


def single(operator, *operands: Tensor, output: Quantization | None = None) -> Graph:
    return one_op(operator, operands, [output])


def kernel(shape: tuple[int, ...], dtype: str) -> list[Tensor]:
    """Weights and a bias."""
    if dtype == "float32":
        weights, bias = RNG.normal(size=shape), RNG.normal(size=shape[0])
        return [
            Tensor.constant("kernel", weights.astype(np.float32)),
            Tensor.constant("bias", bias.astype(np.float32)),
        ]
    scales = RNG.uniform(0.01, 0.02, shape[0])
    weights = RNG.integers(-127, 128, shape, np.int8)
    bias = RNG.integers(-900, 900, shape[0], np.int32)
    return [
        Tensor.constant("kernel", weights, Quantization.per_channel(scales, 0)),
        Tensor.constant("bias", bias, Quantization.per_channel(scales * 0.05, 0)),
    ]


def convolution(dtype: str, shape: tuple[int, ...], weights: tuple[int, ...], **options) -> Graph:
    output = Quantization.per_tensor(0.2, -5) if dtype == "int8" else None
    operator = ops.Conv2D(activation=Activation.RELU, **options)
    return single(operator, x(*shape, dtype=dtype), *kernel(weights, dtype), output=output)


def split_of_which_two_are_read(dtype: str) -> Graph:
    builder = GraphBuilder("split")
    name = builder.input("x", (1, 5, 6), dtype)
    parts = builder.add_multiple(ops.Split(2, (2, 2, 2)), [name], ["a", "b", "c"])
    joined = builder.add(ops.Concatenation(2), [parts[2], parts[0]], "joined")
    if dtype == "int8":
        for tensor in builder.tensors:
            builder.tensors[tensor] = builder.tensor(tensor).with_(quantization=STEP)
    return builder.finish({"y": joined})


def rows_of(table: np.ndarray, quantization: Quantization | None) -> Graph:
    """An embedding that is kept in a small dtype."""
    builder = GraphBuilder("rows")
    at = builder.input("x", (1, 4), "int32")
    rows = builder.constant("table", table, quantization)
    if quantization is None:
        rows = builder.add(ops.Dequantize(), [rows], "real")
        return builder.finish({"y": builder.add(ops.Gather(), [rows, at], "y")})
    found = builder.add(ops.Gather(), [rows, at], "found")
    builder.tensors[found] = builder.tensor(found).with_(quantization=quantization)
    return builder.finish({"y": builder.add(ops.Dequantize(), [found], "y")})


def first_step() -> Graph:
    """A product with a state of zeros, added to what comes in."""
    builder = GraphBuilder("first_step")
    zeros = builder.constant("zeros", np.zeros((1, 3), np.float32))
    weights = builder.constant("w", RNG.normal(size=(4, 3)).astype(np.float32))
    bias = builder.constant("b", RNG.normal(size=4).astype(np.float32))
    name = builder.input("x", (1, 4))
    product = builder.add(ops.FullyConnected(Activation.RELU), [zeros, weights, bias], "product")
    return builder.finish({"y": builder.add(ops.Add(), [name, product], "y")})


def step_of_mask(*squeezed: int) -> Graph:
    cut = ops.StridedSlice((None, 2), (None, 3), (1, 1), squeezed)
    return single(cut, x(1, 5, dtype="bool"))


def twice(operator) -> Graph:
    tensor = x(1, 3, 4)
    return single(operator, tensor, tensor)


HALF = RNG.normal(size=(9, 6)).astype(np.float16)
WIDE = RNG.integers(-30000, 30000, (9, 6), np.int16)
CASES: dict[str, Callable[[], Graph]] = {
    "a function": lambda: single(SOFTPLUS, x(1, 3, 4, dtype="int8"), output=STEP),
    "log-softmax": lambda: single(ops.LogSoftmax(), x(1, 3, 5)),
    "log-softmax in int8": lambda: single(
        ops.LogSoftmax(), x(1, 5, dtype="int8"), output=Quantization.per_tensor(1 / 16, 127)
    ),
    "padded rows": lambda: single(ops.Pad(((0, 0), (1, 2)), 1.5), x(1, 4)),
    "padded rows in int8": lambda: single(
        ops.Pad(((0, 0), (1, 2)), -1.0), x(1, 4, dtype="int8"), output=STEP
    ),
    "mirrored rows": lambda: single(ops.MirrorPad(((0, 0), (1, 2))), x(1, 4)),
    "a step of a mask": lambda: step_of_mask(1),
    "a step of a mask, its axis kept": lambda: step_of_mask(),
    "float16 rows": lambda: rows_of(HALF, None),
    "int16 rows": lambda: rows_of(WIDE, Quantization.per_tensor(1e-4)),
    "a product with zeros": first_step,
    "a strided 1 × 1 convolution": lambda: convolution(
        "int8", (1, 7, 6, 8), (5, 1, 1, 8), strides=(2, 3)
    ),
    "groups of two channels": lambda: convolution("float32", (1, 5, 5, 4), (8, 3, 3, 2), groups=2),
    "groups of two channels in int8": lambda: convolution(
        "int8", (1, 5, 5, 4), (8, 3, 3, 2), groups=2
    ),
    "an unread output": lambda: split_of_which_two_are_read("float32"),
    "an unread output in int8": lambda: split_of_which_two_are_read("int8"),
    "a tensor times itself": lambda: twice(ops.BatchMatMul(transpose_b=True)),
    "a tensor packed with itself": lambda: twice(ops.Pack(1)),
    "a tensor less itself": lambda: twice(ops.Sub()),
    "channels back to front": lambda: single(ops.Reverse((1, 2)), x(1, 5, 6)),
    "the greatest of six channels": lambda: single(ops.ArgMax(-1), x(1, 5, 6)),
}
LEFT_AS_THEY_ARE: dict[str, Callable[[], Graph]] = {
    "a strided 1 × 1 convolution in float": lambda: convolution(
        "float32", (1, 6, 6, 8), (5, 1, 1, 8), strides=(2, 2)
    ),
    "groups of four channels": lambda: convolution("float32", (1, 5, 5, 8), (8, 3, 3, 4), groups=2),
    "single channels": lambda: convolution("float32", (1, 5, 5, 3), (3, 3, 3, 1), groups=3),
    "padded images": lambda: single(ops.Pad(((0, 0), (1, 1), (0, 1), (0, 0))), x(1, 3, 4, 2)),
    "time back to front": lambda: single(ops.Reverse((1,)), x(1, 5, 6)),
    "eight channels back to front": lambda: single(ops.Reverse((2,)), x(1, 5, 8)),
    "the greatest of eight": lambda: single(ops.ArgMax(-1), x(1, 5, 8)),
    "a tensor and itself": lambda: twice(ops.Add()),
    "a float function": lambda: single(SOFTPLUS, x(1, 3, 4)),
    "rows of float32": lambda: single(
        ops.Gather(), Tensor.constant("table", HALF.astype(np.float32)), x(1, 4, dtype="int32")
    ),
}


def inputs_of(graph: Graph) -> dict[str, np.ndarray]:
    """Negative floats, so that a maximum of padding would show."""
    given = random_inputs(graph, RNG, 1)
    tensor = graph.tensors[graph.inputs["x"]]
    if tensor.dtype == "int32":
        return {"x": RNG.integers(0, 9, given["x"].shape, np.int32)}
    return {"x": -np.abs(given["x"])} if tensor.dtype == "float32" else given


def assert_same(result, expected, steps: int) -> None:
    """Floats to rounding, integers to ``steps``."""
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    if result.dtype.kind == "f":
        np.testing.assert_allclose(result, expected, atol=1e-5)
    else:
        assert np.abs(result.astype(int) - expected.astype(int)).max() <= steps


def steps_of(name: str) -> int:
    """A function is rounded twice."""
    return 1 if name in ("a function", "log-softmax in int8") else 0


@pytest.mark.parametrize("name", CASES)
def test_the_reference_kernels_give_what_they_gave(name):
    graph = CASES[name]()
    rewritten = for_gpu(graph)
    assert rewritten.ops != graph.ops
    given = inputs_of(graph)
    (output,) = graph.outputs
    assert_same(run(rewritten, given)[output], run(graph, given)[output], steps_of(name))


@pytest.mark.parametrize("name", LEFT_AS_THEY_ARE)
def test_what_the_gpu_computes_is_left_as_it_is(name):
    graph = LEFT_AS_THEY_ARE[name]()
    assert for_gpu(graph).ops == graph.ops


@pytest.fixture(scope="module")
def runner():
    with LiteRTGpuRunner() as opened:
        yield opened


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("name", [*CASES, *LEFT_AS_THEY_ARE])
def test_the_gpu_gives_what_the_reference_kernels_give(name, runner, tmp_path):
    graph = {**CASES, **LEFT_AS_THEY_ARE}[name]()
    given = inputs_of(graph)
    tensor, (output,) = graph.tensors[graph.inputs["x"]], graph.outputs
    expected = run(graph, given)[output]
    real = given["x"]
    if tensor.quantization is not None:
        real = tensor.quantization.dequantize(real)
    result = runner.run(write_tflite(for_gpu(graph), tmp_path), {"x": real})
    assert result.findings == ()
    quantization = graph.tensors[graph.outputs[output]].quantization
    if quantization is None:
        assert_same(result.outputs[output], expected, 0)
    else:  # integers are computed in float
        off = np.abs(result.outputs[output] - quantization.dequantize(expected))
        assert off.max() <= 1.01 * quantization.scale[0]
