"""What a state is before the first step."""

from dataclasses import dataclass, replace

import numpy as np

from edgenn.errors import UnsupportedError
from edgenn.ir.evaluator import evaluate_op
from edgenn.ir.graph import Graph, rewritten
from edgenn.ir.ops import Dequantize, Mul, Quantize, Scan
from edgenn.ir.ops.function import unused
from edgenn.ir.tensor import Array, Tensor
from edgenn.lowering.recurrent.time.steps import LOOP_HINT

ZERO = (0.0,)


@dataclass(frozen=True)
class Given:
    """By an input of the graph, which has no other use."""

    public: str


def with_fixed_states(graph: Graph) -> Graph:
    """The graph with constants for initial states that no input has a say in.

    Such as a product of an input with 0, which the frontend makes where the batch is open.
    """
    tensors, ops = dict(graph.tensors), list(graph.ops)
    for index, op in enumerate(ops):
        if not isinstance(op.operator, Scan) or op.operator.zero_state:
            continue
        inputs = list(op.inputs)
        for place in range(op.operator.sequences, len(inputs)):
            name = inputs[place]
            values = None if tensors[name].is_constant else fixed_value(graph, name)
            if values is not None:
                inputs[place] = unused(f"{name}/fixed", tensors)
                quantization = tensors[name].quantization
                constant = Tensor.constant(inputs[place], values, quantization)
                tensors[inputs[place]] = constant
        ops[index] = replace(op, inputs=tuple(inputs))
    return rewritten(graph, tensors, ops)


def first_value(graph: Graph, name: str, layer: str) -> Given | tuple[float, ...]:
    """An initial state: the input that gives it, or its values for one sample in C order.

    Of a graph made by ``with_fixed_states``.

    Args:
        layer: For errors.

    Raises:
        UnsupportedError: It is computed from inputs, or differs from sample to sample.
    """
    source = input_behind(graph, name)
    if source is not None:
        return source
    tensor = graph.tensors[name]
    if not tensor.is_constant:
        raise UnsupportedError(
            f"{layer}: its initial state is computed from inputs, or shared with other ops",
            f"make it an input of the model; {LOOP_HINT}",
        )
    real = tensor.real()
    if (real != real[:1]).any():
        raise UnsupportedError(
            f"{layer}: its initial state differs from sample to sample", LOOP_HINT
        )
    row = tuple(map(float, real[0].ravel()))
    return ZERO if not any(row) else row


def input_behind(graph: Graph, name: str) -> Given | None:
    """The graph's input that reaches a loop through nothing but changes of representation."""
    while True:
        if len(graph.consumers[name]) != 1 or graph.is_output(name):
            return None
        (reader,) = graph.consumers[name]
        if reader.inputs.count(name) != 1:
            return None
        producer = graph.producers.get(name)
        if producer is None:
            names = [public for public, own in graph.inputs.items() if own == name]
            return Given(names[0]) if names else None
        if not isinstance(producer.operator, Quantize | Dequantize):
            return None
        (name,) = producer.inputs


def fixed_value(graph: Graph, name: str) -> Array | None:
    """The values of a tensor that no input has a say in, for at least one sample."""
    tensor = graph.tensors[name]
    if tensor.data is not None:
        return tensor.data
    producer = graph.producers.get(name)
    if producer is None:
        return None
    if isinstance(producer.operator, Mul) and any(map(is_zero, graph.operands(producer))):
        zero = 0 if tensor.quantization is None else tensor.quantization.zero_point[0]
        return np.full([size or 1 for size in tensor.shape], zero, tensor.dtype)
    inputs = [fixed_value(graph, operand) for operand in producer.inputs]
    known = [array for array in inputs if array is not None]
    if len(known) < len(inputs):
        return None
    return evaluate_op(graph, producer, known)[producer.outputs.index(name)]


def is_zero(tensor: Tensor) -> bool:
    """Whether a constant holds nothing but zeros: a product with it does so as well."""
    return tensor.is_constant and not tensor.real().any()
