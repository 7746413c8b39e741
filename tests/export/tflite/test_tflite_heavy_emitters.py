"""What the emitters of heavy and moving ops write, read back from the file."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support.one_op import one_op

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir import ops
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Operator
from edgenn.ir.tensor import Quantization, Tensor

KERNELS: dict[str, tuple[Operator, tuple, tuple]] = {
    "CONV_2D": (ops.Conv2D(), (None, 4, 4, 2), (3, 1, 1, 2)),
    "DEPTHWISE_CONV_2D": (ops.DepthwiseConv2D(), (None, 4, 4, 3), (1, 1, 1, 3)),
    "TRANSPOSE_CONV": (ops.TransposeConv2D(output_size=(4, 4)), (None, 4, 4, 2), (3, 1, 1, 2)),
    "FULLY_CONNECTED": (ops.FullyConnected(), (None, 2), (3, 2)),
}
SCALE = Quantization.per_tensor(0.5)


def without_bias(operator: Operator, shape: tuple, kernel: tuple, dtype: str) -> Graph:
    if dtype == "float32":
        weights = Tensor.constant("w", np.ones(kernel, np.float32))
        return one_op(operator, [Tensor("x", shape), weights], [None])
    scales = Quantization.per_channel(np.array([0.1, 0.2, 0.3]), operator.weight_axes[1])
    weights = Tensor.constant("w", np.ones(kernel, np.int8), scales)
    return one_op(operator, [Tensor("x", shape, dtype, SCALE), weights], [SCALE])


def written(graph: Graph) -> tuple[Any, list[tuple[str, Any]]]:
    """The file's model, and its ops with the names of their builtins."""
    names = {n: name for name, n in vars(schema.BuiltinOperator).items() if isinstance(n, int)}
    model = schema.ModelT.InitFromPackedBuf(to_tflite(graph), 0)
    codes = [names[code.builtinCode] for code in model.operatorCodes]
    return model, [(codes[op.opcodeIndex], op) for op in model.subgraphs[0].operators]


@pytest.mark.parametrize(
    ("dtype", "bias_dtype"), [("float32", "<f4"), ("int8", "<i4"), ("int16", "<i8")]
)
@pytest.mark.parametrize("builtin", KERNELS)
def test_an_op_without_bias_gets_zeros_of_the_kernels_accumulator(builtin, dtype, bias_dtype):
    model, operators = written(without_bias(*KERNELS[builtin], dtype))
    name, op = operators[-1]
    assert name == builtin
    bias = model.subgraphs[0].tensors[op.inputs[-1]]
    kinds = {"<f4": "FLOAT32", "<i4": "INT32", "<i8": "INT64"}
    assert bias.type == getattr(schema.TensorType, kinds[bias_dtype])
    content = np.frombuffer(model.buffers[bias.buffer].data.tobytes(), bias_dtype)
    assert content.tolist() == [0, 0, 0]
    if dtype != "float32":
        np.testing.assert_allclose(bias.quantization.scale, [0.05, 0.1, 0.15], rtol=1e-6)


def test_the_shape_of_a_transposed_convolution_follows_the_batch():
    _, operators = written(without_bias(*KERNELS["TRANSPOSE_CONV"], "int8"))
    assert [name for name, _ in operators] == ["SHAPE", "STRIDED_SLICE", "PACK", "TRANSPOSE_CONV"]


def test_a_fixed_batch_needs_no_shape_arithmetic():
    operator, (_, *rest), kernel = KERNELS["TRANSPOSE_CONV"]
    _, operators = written(without_bias(operator, (2, *rest), kernel, "int8"))
    assert [name for name, _ in operators] == ["TRANSPOSE_CONV"]


def test_a_transposed_convolution_of_open_size_is_refused():
    operator = ops.TransposeConv2D(output_size=(None, 4))
    graph = without_bias(operator, (None, None, 4, 2), (3, 1, 1, 2), "float32")
    with pytest.raises(UnsupportedError, match="fixed output height and width"):
        to_tflite(graph)


@pytest.mark.parametrize(("shape", "keeps"), [((None, 2), False), ((None, 5, 2), True)])
def test_fully_connected_keeps_leading_dimensions(shape, keeps):
    _, [(_, op)] = written(without_bias(ops.FullyConnected(), shape, (3, 2), "int8"))
    assert op.builtinOptions.keepNumDims is keeps


@pytest.mark.parametrize(("value", "builtin"), [(0.0, "PAD"), (-1.5, "PADV2")])
def test_only_other_values_than_zero_need_padv2(value, builtin):
    operator = ops.Pad(paddings=((0, 0), (1, 1)), value=value)
    model, [(name, op)] = written(one_op(operator, [Tensor("x", (1, 2), "int8", SCALE)], [SCALE]))
    assert name == builtin
    if builtin == "PADV2":
        fill = model.subgraphs[0].tensors[op.inputs[2]]
        assert model.buffers[fill.buffer].data.astype(np.int8).tolist() == [-3]


@pytest.mark.parametrize(("sizes", "builtin"), [((2, 2), "SPLIT"), ((1, 3), "SPLIT_V")])
def test_split(sizes, builtin):
    operator = ops.Split(axis=1, sizes=sizes)
    _, [(name, _)] = written(one_op(operator, [Tensor("x", (None, 4))], [None, None]))
    assert name == builtin


@pytest.mark.parametrize(
    ("operator", "rank"),
    [
        (ops.Pad(paddings=((0, 0),) * 6), 6),
        (ops.Transpose(permutation=tuple(range(9))), 9),
        (ops.Split(axis=0, sizes=(1, 1)), 7),
        (ops.Reverse(axes=(0,)), 9),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_ranks_that_litert_refuses_are_refused_before(operator, rank):
    x = Tensor("x", (2,) * rank)
    graph = one_op(operator, [x], [None] * len(operator.infer([x])))
    with pytest.raises(UnsupportedError, match=f"not {rank}"):
        to_tflite(graph)


def test_matrices_above_rank_5_are_refused():
    operands = [Tensor("a", (1, 1, 1, 2, 2, 2)), Tensor("b", (2, 2))]
    with pytest.raises(UnsupportedError, match="up to rank 5"):
        to_tflite(one_op(ops.BatchMatMul(), operands, [None]))


@pytest.mark.parametrize("operator", [ops.Cast(dtype="int32"), ops.CumSum()])
def test_stored_integers_without_a_kernel_are_refused(operator):
    x = Tensor("x", (None, 4), "int8", SCALE)
    output = None if isinstance(operator, ops.Cast) else SCALE
    with pytest.raises(UnsupportedError, match="no int8 kernel"):
        to_tflite(one_op(operator, [x], [output]))
