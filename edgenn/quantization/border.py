"""The dtype in which a full-integer graph takes its inputs and gives its outputs."""

from collections.abc import Collection

from edgenn.errors import UsageError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.grids import grids_of, with_grids
from edgenn.ir.ops import Dequantize, Quantize
from edgenn.ir.tensor import Quantization, Tensor

UNSIGNED_OFFSET = 128


def with_border(graph: Graph, io: str, kept: Collection[str] = ()) -> Graph:
    """The graph with ``io`` inputs and outputs: int8, uint8, int16 or float32.

    Only quantised inputs and outputs change. A public name stays; the tensor of the Keras
    layer stays too, one op further inside.

    Args:
        kept: Public names of inputs and outputs that stay as they are.

    Raises:
        UsageError: An integer dtype that the graph cannot give.
    """
    builder = GraphBuilder.from_graph(graph)
    inputs, heads = dict(graph.inputs), []
    outputs, tails = dict(graph.outputs), []
    for public, name in graph.inputs.items():
        tensor = graph.tensors[name]
        if public not in kept and tensor.quantization is not None and tensor.dtype != io:
            border = border_tensor(tensor, io, builder.unique(f"{name}/{io}"))
            builder.tensors[border.name] = border
            heads.append(Op(name, Quantize(tensor.dtype), (border.name,), (name,)))
            inputs[public] = border.name
    for public, name in graph.outputs.items():
        tensor = graph.tensors[name]
        if public not in kept and tensor.quantization is not None and tensor.dtype != io:
            border = border_tensor(tensor, io, builder.unique(f"{name}/{io}"))
            builder.tensors[border.name] = border
            operator = Dequantize() if io == "float32" else Quantize(io)
            tails.append(Op(border.name, operator, (name,), (border.name,)))
            outputs[public] = border.name
    ops = (*heads, *graph.ops, *tails)
    return graph.with_(tensors=builder.tensors, ops=ops, inputs=inputs, outputs=outputs)


def with_open_float_border(graph: Graph) -> Graph:
    """The graph without the roundings between a float border and ops that compute in float.

    An input that is only dequantised becomes a float input; an output that is quantised from a
    float tensor is that tensor.
    """
    tensors, sources = dict(graph.tensors), dict[str, str]()
    for name in graph.inputs.values():
        readers = [] if graph.is_output(name) else graph.consumers[name]
        if readers and all(isinstance(op.operator, Dequantize) for op in readers):
            tensors[name] = Tensor(name, tensors[name].shape)
            sources.update({op.outputs[0]: name for op in readers})
    ops = [
        Op(op.name, op.operator, tuple(sources.get(n, n) for n in op.inputs), op.outputs)
        for op in graph.ops
        if op.outputs[0] not in sources
    ]
    grids = {sources.get(name, name): grid for name, grid in grids_of(graph).items()}
    opened = with_grids(graph.with_(tensors=tensors, ops=tuple(ops)), grids)
    outputs = {public: float_source(opened, name) or name for public, name in graph.outputs.items()}
    return opened.with_(outputs=outputs).pruned()


def float_source(graph: Graph, name: str) -> str | None:
    """The float tensor that a tensor is quantised from."""
    producer = graph.producers.get(name)
    if producer is None or not isinstance(producer.operator, Quantize):
        return None
    (source,) = producer.inputs
    return source if graph.tensors[source].dtype == "float32" else None


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
