"""A graph as a program, for formats whose files hold layers and no ops."""

from edgenn.ir.graph import Graph, Op
from edgenn.ir.tensor import Tensor
from edgenn.placement.program import Node, Program, Section, Value


def graph_program(graph: Graph, format_: str, dtype: str = "float32") -> Program:
    """The ops of a graph, named as ``edgenn.ir`` names them; loops are one op.

    Args:
        dtype: What the format has for float32.
    """
    values = {
        name: value(tensor, index, dtype)
        for index, (name, tensor) in enumerate(graph.tensors.items())
    }

    def node(op: Op) -> Node:
        macs = op.operator.macs(graph.operands(op), graph.results(op))
        inputs = tuple(values[name] for name in op.inputs)
        return Node(op.kind, inputs, tuple(values[name] for name in op.outputs), {"macs": macs})

    return Program(
        format_,
        (
            Section(
                graph.name,
                tuple(values[name] for name in graph.inputs.values()),
                tuple(values[name] for name in graph.outputs.values()),
                tuple(node(op) for op in graph.ops),
            ),
        ),
    )


def value(tensor: Tensor, number: int, real: str) -> Value:
    quantization = tensor.quantization
    return Value(
        tensor.name,
        tensor.shape,
        real if tensor.dtype == "float32" else tensor.dtype,
        constant=tensor.is_constant,
        scales=() if quantization is None else tuple(map(float, quantization.scale)),
        zero_points=() if quantization is None else tuple(map(int, quantization.zero_point)),
        number=number,
        data=tensor.data,
    )
