"""Runs a graph in NumPy over a batch and gives every tensor by name.

Float graphs are evaluated in float32; where a graph is quantised, its integers are evaluated
bit for bit as TFLite's reference kernels do. Needs neither TensorFlow nor LiteRT.
"""

from collections.abc import Collection, Mapping

import numpy as np

from edgenn.errors import UnsupportedError
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Hybrid, IntegerInput, Loop, Observer
from edgenn.ir.tensor import Array


def evaluate(
    graph: Graph,
    inputs: Mapping[str, Array],
    keep: Collection[str] | None = None,
    observe: Observer | None = None,
    scope: str = "",
) -> dict[str, Array]:
    """Evaluates the graph.

    Args:
        inputs: Public input name → array in the tensor's dtype, batch first.
        keep: Names of the tensors to give; ``None`` gives every tensor that is not constant.
        observe: Is told, step by step, what the tensors inside of loops hold.
        scope: Comes before the paths of loops.

    Returns:
        Tensor name → array.
    """
    values: dict[str, Array] = {
        tensor: np.asarray(inputs[public]) for public, tensor in graph.inputs.items()
    }
    last_use = {name: index for index, op in enumerate(graph.ops) for name in op.inputs}
    kept = set(graph.tensors) if keep is None else set(keep)
    result = {name: value for name, value in values.items() if name in kept}
    if keep is not None:
        constants = {name: graph.tensors[name].data for name in keep}
        result |= {name: data for name, data in constants.items() if data is not None}
    for index, op in enumerate(graph.ops):
        arrays = [
            values[name] if (data := graph.tensors[name].data) is None else data
            for name in op.inputs
        ]
        outputs = evaluate_op(graph, op, arrays, observe, scope)
        for name, array in zip(op.outputs, outputs, strict=True):
            values[name] = array
            if name in kept:
                result[name] = array
        for name in {*op.inputs, *op.outputs}:
            if last_use.get(name, -1) <= index:
                values.pop(name, None)
    return result


def evaluate_step(
    graph: Graph,
    inputs: Mapping[str, Array],
    path: str,
    step: int,
    observe: Observer | None,
) -> dict[str, Array]:
    """One step of a loop: the outputs of its graph, and all its tensors to the observer."""
    keep = list(graph.outputs.values())
    if observe is not None:
        keep += [tensor.name for tensor in graph.tensors.values() if not tensor.is_constant]
    values = evaluate(graph, inputs, keep, observe, f"{path}[{step}]/")
    if observe is not None:
        observe(path, step, values)
    return values


def evaluate_op(
    graph: Graph,
    op: Op,
    arrays: list[Array],
    observe: Observer | None = None,
    scope: str = "",
) -> tuple[Array, ...]:
    """Evaluates one op on arrays: in integers where its tensors are quantised.

    Raises:
        UnsupportedError: Its operator has no such evaluation.
    """
    if isinstance(op.operator, Loop):
        return op.operator.run(arrays, f"{scope}{op.name}", observe)
    try:
        return _evaluate(graph, op, arrays)
    except NotImplementedError as error:
        raise UnsupportedError(f"{op.name}: {error}") from error


def _evaluate(graph: Graph, op: Op, arrays: list[Array]) -> tuple[Array, ...]:
    operands, results = graph.operands(op), graph.results(op)
    stored = [
        IntegerInput(array, tensor.quantization)
        for array, tensor in zip(arrays, operands, strict=True)
    ]
    activations = [tensor for tensor in operands if not tensor.is_constant] + results
    if any(tensor.quantization is not None for tensor in activations):
        if not op.operator.evaluates_uint8 and any(t.dtype == "uint8" for t in activations):
            raise NotImplementedError(f"{op.kind} has no evaluation in uint8")
        return op.operator.evaluate_integer(stored, results)
    if isinstance(op.operator, Hybrid) and op.operator.rounds_inputs:
        return op.operator.evaluate_hybrid(stored)
    return op.operator.evaluate([operand.real() for operand in stored])
