"""The dtype in which a full-integer graph takes its inputs and gives its outputs."""

from edgenn.errors import UsageError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Dequantize, Quantize
from edgenn.ir.tensor import Quantization, Tensor

UNSIGNED_OFFSET = 128


def with_border(graph: Graph, io: str) -> Graph:
    """The graph with ``io`` inputs and outputs: int8, uint8, int16 or float32.

    Only quantised inputs and outputs change. A public name stays; the tensor of the Keras
    layer stays too, one op further inside.

    Raises:
        UsageError: An integer dtype that the graph cannot give.
    """
    builder = GraphBuilder.from_graph(graph)
    inputs, heads = dict(graph.inputs), []
    outputs, tails = dict(graph.outputs), []
    for public, name in graph.inputs.items():
        tensor = graph.tensors[name]
        if tensor.quantization is not None and tensor.dtype != io:
            border = border_tensor(tensor, io, builder.unique(f"{name}/{io}"))
            builder.tensors[border.name] = border
            heads.append(Op(name, Quantize(tensor.dtype), (border.name,), (name,)))
            inputs[public] = border.name
    for public, name in graph.outputs.items():
        tensor = graph.tensors[name]
        if tensor.quantization is not None and tensor.dtype != io:
            border = border_tensor(tensor, io, builder.unique(f"{name}/{io}"))
            builder.tensors[border.name] = border
            operator = Dequantize() if io == "float32" else Quantize(io)
            tails.append(Op(border.name, operator, (name,), (border.name,)))
            outputs[public] = border.name
    ops = (*heads, *graph.ops, *tails)
    return graph.with_(tensors=builder.tensors, ops=ops, inputs=inputs, outputs=outputs)


def border_tensor(tensor: Tensor, io: str, name: str) -> Tensor:
    """What stands outside for a quantised tensor inside."""
    assert tensor.quantization is not None
    if io == "float32":
        return Tensor(name, tensor.shape)
    if io == "uint8" and tensor.dtype == "int8":
        scale = float(tensor.quantization.scale[0])
        zero_point = int(tensor.quantization.zero_point[0]) + UNSIGNED_OFFSET
        return Tensor(name, tensor.shape, io, Quantization.per_tensor(scale, zero_point))
    raise UsageError(f"{tensor.name}: {tensor.dtype} inputs and outputs cannot be {io}")
