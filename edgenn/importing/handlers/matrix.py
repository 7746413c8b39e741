"""Matrix products."""

from edgenn.importing.context import Context
from edgenn.importing.node import Node
from edgenn.importing.products import chosen_rounding, is_hybrid
from edgenn.importing.registry import handler
from edgenn.importing.words import activation
from edgenn.ir.ops import BatchMatMul, FullyConnected, Reshape


@handler("FULLY_CONNECTED")
def fully_connected(node: Node, context: Context) -> None:
    if node.option("weightsFormat"):
        raise context.unsupported(node, "its weights are shuffled")
    x, weights, *bias = node.inputs
    assert x is not None and weights is not None
    dense = FullyConnected(activation(node, context), input_rounding=chosen_rounding(node, context))
    rows = as_rows(x, weights, node, context)
    given = [rows, weights, *(name for name in bias if name is not None)]
    context.add(dense, given, node.outputs)


def as_rows(x: str, weights: str, node: Node, context: Context) -> str:
    """The input as the kernel takes it: all leading dimensions as one, unless they are kept."""
    tensor, width = context.tensor(x), context.tensor(weights).shape[1]
    assert width is not None
    if node.option("keepNumDims", False) or (tensor.rank == 2 and tensor.shape[1] == width):
        return x
    return context.add_between(Reshape((-1, width)), [x], f"{node.name}/rows", tensor.quantization)


@handler("BATCH_MATMUL")
def batch_matmul(node: Node, context: Context) -> None:
    a, b = node.given
    if is_hybrid(a, b, context):
        raise context.unsupported(node, "it multiplies real activations and int8 weights")
    matmul = BatchMatMul(bool(node.option("adjX", False)), bool(node.option("adjY", False)))
    context.add(matmul, node.given, node.outputs)
