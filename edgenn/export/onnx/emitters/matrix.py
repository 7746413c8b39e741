"""Matrix products."""

from edgenn.export.onnx.activations import activated
from edgenn.export.onnx.context import Context
from edgenn.export.onnx.float_bias import bias_of
from edgenn.export.onnx.layouts import channels_first, channels_last, time_first
from edgenn.export.onnx.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.ops import BatchMatMul, FullyConnected

TRANSPOSED = (1, 0)


@emitter(FullyConnected)
def fully_connected(op: Op, context: Context) -> None:
    """A Gemm for matrices; for more dimensions a product that leaves them where they are."""
    dense = op.operator
    assert isinstance(dense, FullyConnected)
    rank = context.tensor(op.inputs[0]).rank
    last = channels_last(rank)
    order = context.common_order(op.inputs[:1])
    if rank == 2:
        y = gemm(context.value(op.inputs[0]), op, context)
    elif order == channels_first(rank) and is_only_channels_first(op, context):
        y = pointwise_convolution(op, rank, context)
    elif context.tensor(op.inputs[1]).quantization is not None:
        order = last
        y = flattened_gemm(op, context)
    else:
        order = order if order == time_first(rank) else last
        x = context.value(op.inputs[0], order)
        y = context.node("MatMul", [x, transposed_weights(op, context)])
        if op.inputs[2:]:
            y = context.node("Add", [y, *bias_of(op, context)])
    context.bind(op.output, activated(y, dense.activation, op, context), order)


def is_only_channels_first(op: Op, context: Context) -> bool:
    """Whether a transpose would stand before a matrix product with constant weights."""
    last = channels_last(context.tensor(op.inputs[0]).rank)
    return not context.is_free(op.inputs[0], last) and context.is_constant(op.inputs[1])


def gemm(x: str, op: Op, context: Context) -> str:
    weights = context.value(op.inputs[1])
    return context.node("Gemm", [x, weights, *bias_of(op, context)], transB=1)


def transposed_weights(op: Op, context: Context) -> str:
    return context.weight(op.inputs[1], TRANSPOSED)


def pointwise_convolution(op: Op, rank: int, context: Context) -> str:
    """A dense layer over the channels of an image that is channels-first already."""
    weights = context.tensor(op.inputs[1])
    shape = (*weights.shape, *([1] * (rank - 2)))
    kernel = context.constant(op.inputs[1], channels_last(rank), shape)
    x = context.channels_first(op.inputs[0])
    inputs = [x, kernel, *bias_of(op, context)]
    return context.node("Conv", inputs, kernel_shape=[1] * (rank - 2))


def flattened_gemm(op: Op, context: Context) -> str:
    """All leading dimensions as one.

    Engines have an integer Gemm with a bias, but no such MatMul. And where the weights alone are
    integers, ONNX Runtime would round the input of a MatMul to 8 bits too (MatMulNBits).
    """
    weights, output = context.tensor(op.inputs[1]), context.tensor(op.output)
    source = context.value(op.inputs[0])
    rows = context.attribute("rows", [-1, weights.shape[1] or 0])
    x = context.on_grid(context.node("Reshape", [source, rows]), op.inputs[0])
    y = context.on_grid(gemm(x, op, context), op.output)
    if output.shape.count(None) <= 1:
        sizes = [-1 if size is None else size for size in output.shape]
        shape = context.attribute("shape", sizes)
    else:
        lead = context.node("Shape", [source], end=-1)
        units = context.attribute("units", [weights.shape[0] or 0])
        shape = context.node("Concat", [lead, units], axis=0)
    return context.node("Reshape", [y, shape])


@emitter(BatchMatMul)
def batch_matmul(op: Op, context: Context) -> None:
    matmul = op.operator
    assert isinstance(matmul, BatchMatMul)
    flips = (matmul.transpose_a, matmul.transpose_b)
    operands = [matrix(name, flip, context) for name, flip in zip(op.inputs, flips, strict=True)]
    context.bind(op.output, context.node("MatMul", operands))


def matrix(name: str, flip: bool, context: Context) -> str:
    """An operand, its last two axes swapped if ``flip``."""
    rank = context.tensor(name).rank
    if not flip:
        return context.value(name)
    order = (*range(rank - 2), rank - 1, rank - 2)
    if context.is_constant(name):
        return context.constant(name, order)
    return context.on_grid(context.node("Transpose", [context.value(name)], perm=order), name)
