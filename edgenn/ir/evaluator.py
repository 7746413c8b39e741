"""Runs a graph in NumPy over a batch and gives every tensor by name.

Float graphs are evaluated in float32; where a graph is quantised, its integers are evaluated
bit for bit as TFLite's reference kernels do. Needs neither TensorFlow nor LiteRT.
"""

from collections.abc import Collection, Mapping

import numpy as np

from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import IntegerInput
from edgenn.ir.tensor import Array


def evaluate(
    graph: Graph, inputs: Mapping[str, Array], keep: Collection[str] | None = None
) -> dict[str, Array]:
    """Evaluates the graph.

    Args:
        inputs: Public input name → array in the tensor's dtype, batch first.
        keep: Names of the tensors to give; ``None`` gives every tensor that is not constant.

    Returns:
        Tensor name → array.
    """
    values: dict[str, Array] = {
        tensor: np.asarray(inputs[public]) for public, tensor in graph.inputs.items()
    }
    last_use = {name: index for index, op in enumerate(graph.ops) for name in op.inputs}
    kept = set(graph.tensors) if keep is None else set(keep)
    result = {name: value for name, value in values.items() if name in kept}
    for index, op in enumerate(graph.ops):
        arrays = [
            values[name] if (data := graph.tensors[name].data) is None else data
            for name in op.inputs
        ]
        for name, array in zip(op.outputs, evaluate_op(graph, op, arrays), strict=True):
            values[name] = array
            if name in kept:
                result[name] = array
        for name in {*op.inputs, *op.outputs}:
            if last_use.get(name, -1) <= index:
                values.pop(name, None)
    return result


def evaluate_op(graph: Graph, op: Op, arrays: list[Array]) -> tuple[Array, ...]:
    """Evaluates one op on arrays: in integers where its tensors are quantised."""
    operands, results = graph.operands(op), graph.results(op)
    activations = [tensor for tensor in operands if not tensor.is_constant] + results
    if any(tensor.quantization is not None for tensor in activations):
        quantized = [
            IntegerInput(array, tensor.quantization)
            for array, tensor in zip(arrays, operands, strict=True)
        ]
        return op.operator.evaluate_integer(quantized, results)
    real = [
        array if tensor.quantization is None else tensor.quantization.dequantize(array)
        for array, tensor in zip(arrays, operands, strict=True)
    ]
    return op.operator.evaluate(real)
