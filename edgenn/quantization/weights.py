"""Schemes that shrink the weights and leave activations in float32."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops import Dequantize, Scan
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.ir.precision import is_kept
from edgenn.ir.tensor import Array, Quantization, Tensor
from edgenn.quantization.fused_lstm import dynamic_weights
from edgenn.quantization.parameters import quantize_weights, weight_scales

SMALLEST_WEIGHTS = 256
"""Elements below which a constant is not worth a smaller dtype."""


def to_float16(graph: Graph) -> Graph:
    """Float constants in float16, each followed by a dequantize to float32.

    Values beyond float16's range saturate at its largest number.
    """
    builder = GraphBuilder.from_graph(graph)
    renamed: dict[str, str] = {}
    for name, tensor in graph.tensors.items():
        if tensor.data is None or tensor.dtype != "float32" or tensor.data.size < SMALLEST_WEIGHTS:
            continue
        if any(is_kept(graph, op) for op in graph.consumers[name]):
            continue
        half = tensor.data.clip(-65504, 65504).astype("float16")
        builder.tensors[name] = Tensor.constant(name, half)
        renamed[name] = builder.add(Dequantize(), [name], f"{name}/float32")
    heads = list(builder.ops)
    ops = [
        op
        if is_kept(graph, op)
        else Op(
            op.name, halved(op.operator), tuple(renamed.get(n, n) for n in op.inputs), op.outputs
        )
        for op in graph.ops
    ]
    return graph.with_(tensors=builder.tensors, ops=(*heads, *ops)).pruned()


def halved(operator: Operator) -> Operator:
    """The operator; a loop with its cell's constants in float16."""
    if isinstance(operator, Scan):
        return replace(operator, cell=to_float16(operator.cell))
    return operator


def to_dynamic(graph: Graph) -> Graph:
    """Weights of convolutions, dense and recurrent layers in int8 per channel, where not kept."""
    return with_integer_weights(graph, lambda op: not is_kept(graph, op))


def with_integer_weights(
    graph: Graph, chosen: Callable[[Op], bool], rounded: Mapping[str, Tensor] | None = None
) -> Graph:
    """Float weights of some ops in int8 per channel, those inside of loops included.

    Args:
        rounded: Weights of which the integers are known.
    """
    tensors = dict(graph.tensors)
    ops = []
    for op in graph.ops:
        if chosen(op):
            quantize_weights_of(graph, op, tensors, rounded or {})
            if isinstance(op.operator, Scan):
                cell = to_dynamic(op.operator.cell)
                op = replace(op, operator=replace(op.operator, cell=cell))
        ops.append(op)
    return graph.with_(tensors=tensors, ops=tuple(ops))


def quantize_weights_of(
    graph: Graph, op: Op, tensors: dict[str, Tensor], rounded: Mapping[str, Tensor]
) -> None:
    """Puts the op's weights in int8 into ``tensors``, where that saves space."""
    if isinstance(op.operator, FusedLstm):
        narrow = dynamic_weights([graph.tensors[name] for name in op.inputs[1:]])
        tensors.update({tensor.name: tensor for tensor in narrow})
        return
    for index, axis in op.operator.weight_axes.items():
        tensor = tensors[op.inputs[index]]
        if tensor.data is None or tensor.dtype != "float32":
            continue
        if not is_worth_it(tensor.data, axis) or shared_otherwise(graph, op, index):
            continue
        scales = weight_scales(tensor.data, axis, None, 1.0)
        tensors[tensor.name] = rounded.get(tensor.name) or Tensor.constant(
            tensor.name,
            quantize_weights(tensor.data, scales, axis),
            Quantization.per_channel(scales, axis),
        )


def is_worth_it(weights: Array, axis: int) -> bool:
    """Whether weights are a matrix of some size; one row is only one scalar product."""
    return weights.size >= SMALLEST_WEIGHTS and weights.shape[axis] > 1


def shared_otherwise(graph: Graph, op: Op, index: int) -> bool:
    """Whether another op reads these weights in another role or layout, or stays in float."""
    name = op.inputs[index]
    return any(
        reader.operator.weight_axes.get(reader.inputs.index(name)) != op.operator.weight_axes[index]
        or is_kept(graph, reader)
        for reader in graph.consumers[name]
    )


WEIGHT_SCHEMES: dict[str, Callable[[Graph], Graph]] = {
    "float16": to_float16,
    "dynamic": to_dynamic,
}
