"""Matrix products."""

from ai_edge_litert import schema_py_generated as schema

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.bias import operands_with_bias
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.options import ACTIVATIONS
from edgenn.export.tflite.registry import emitter
from edgenn.ir.graph import Op
from edgenn.ir.operator import InputRounding
from edgenn.ir.ops import BatchMatMul, FullyConnected

MAX_MATMUL_RANK = 5


@emitter(FullyConnected)
def fully_connected(op: Op, context: Context) -> None:
    dense = op.operator
    assert isinstance(dense, FullyConnected)
    x, weights = (context.tensor(name) for name in op.inputs[:2])
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = ACTIVATIONS[dense.activation]
    # without it the kernel flattens all leading dimensions to one
    options.keepNumDims = x.rank != 2
    options.asymmetricQuantizeInputs = (
        x.dtype == "float32"
        and weights.dtype == "int8"
        and dense.input_rounding is not InputRounding.SYMMETRIC
    )
    context.emit(
        "FULLY_CONNECTED", operands_with_bias(op, context), context.indices(op.outputs), options
    )


@emitter(BatchMatMul)
def batch_matmul(op: Op, context: Context) -> None:
    matmul = op.operator
    assert isinstance(matmul, BatchMatMul)
    rank = context.tensor(op.output).rank
    if rank > MAX_MATMUL_RANK:
        raise UnsupportedError(
            f"{op.name}: LiteRT multiplies matrices up to rank {MAX_MATMUL_RANK}, not {rank}",
            hint="merge leading dimensions with a reshape before the product",
        )
    options = schema.BatchMatMulOptionsT()
    options.adjX = matmul.transpose_a
    options.adjY = matmul.transpose_b
    context.emit("BATCH_MATMUL", context.indices(op.inputs), context.indices(op.outputs), options)
