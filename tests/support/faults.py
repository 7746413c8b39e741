"""Faults put into the graph of an artifact, each in one layer."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Activation, Padding
from edgenn.ir.ops import Pad, Reshape
from edgenn.ir.ops.scan import Scan
from edgenn.ir.tensor import Array, Quantization, Tensor


def op_of(graph: Graph, output: str) -> Op:
    return graph.producers[output]


def with_constant(graph: Graph, name: str, change: Callable[[Tensor], Tensor]) -> Graph:
    """The graph with another constant; one inside of a loop, too."""
    tensors = dict(graph.tensors)
    if name in tensors:
        tensors[name] = change(tensors[name])
    ops = tuple(
        replace(
            op, operator=replace(op.operator, cell=with_constant(op.operator.cell, name, change))
        )
        if isinstance(op.operator, Scan)
        else op
        for op in graph.ops
    )
    return graph.with_(tensors=tensors, ops=ops)


def with_data(graph: Graph, name: str, change: Callable[[Array], Array]) -> Graph:
    return with_constant(graph, name, lambda tensor: tensor.with_(data=change(tensor.data)))


def with_op(graph: Graph, old: Op, *new: Op) -> Graph:
    ops = [entry for op in graph.ops for entry in (new if op is old else (op,))]
    return graph.with_(ops=tuple(ops))


def scale_doubled(graph: Graph, output: str) -> Graph:
    """The weights' scale doubled, and with it the bias's, as kernels require."""
    op = op_of(graph, output)

    def double(tensor: Tensor) -> Tensor:
        if tensor.quantization is None:
            return tensor.with_(data=tensor.data * np.float32(2))
        scale = tensor.quantization.scale * np.float32(2)
        return tensor.with_(quantization=replace(tensor.quantization, scale=scale))

    for name in op.inputs[1:2]:
        graph = with_constant(graph, name, double)
    for name in op.inputs[2:3]:
        bias = graph.tensors[name]
        if bias.quantization is not None:
            graph = with_constant(graph, name, double)
            graph = with_data(graph, name, lambda data: (data // 2).astype(data.dtype))
    return graph


def channel_zeroed(graph: Graph, output: str, channel: int = 1) -> Graph:
    op = op_of(graph, output)
    axis = op.operator.weight_axes[1]

    def zero(data: Array) -> Array:
        data = data.copy()
        np.moveaxis(data, axis, 0)[channel] = 0
        return data

    return with_data(graph, op.inputs[1], zero)


def bias_dropped(graph: Graph, output: str) -> Graph:
    return with_data(graph, op_of(graph, output).inputs[2], np.zeros_like)


def kernel_transposed(graph: Graph, output: str) -> Graph:
    op = op_of(graph, output)

    def turn(data: Array) -> Array:
        if data.ndim == 4:
            return np.ascontiguousarray(data.swapaxes(1, 2))
        return np.ascontiguousarray(data.T)

    return with_data(graph, op.inputs[1], turn)


def padding_shifted(graph: Graph, output: str) -> Graph:
    """All padding before the image, none behind it."""
    op = op_of(graph, output)
    source = graph.tensors[op.inputs[0]]
    _, height, width, _ = graph.tensors[op.inputs[1]].shape
    operator = Pad(((0, 0), (height - 1, 0), (width - 1, 0), (0, 0)))
    (type_,) = operator.infer([source])
    name = f"{output}/padded"
    padded = Tensor(name, type_.shape, source.dtype, source.quantization)
    new = replace(
        op, operator=replace(op.operator, padding=Padding.VALID), inputs=(name, *op.inputs[1:])
    )
    graph = graph.with_(tensors={**graph.tensors, name: padded})
    return with_op(graph, op, Op(name, operator, op.inputs[:1], (name,)), new)


def activation_changed(graph: Graph, output: str, to: Activation) -> Graph:
    op = op_of(graph, output)
    return with_op(graph, op, replace(op, operator=replace(op.operator, activation=to)))


def zero_point_moved(graph: Graph, output: str) -> Graph:
    """A reshape behind the layer whose zero point is one more; all readers read it."""
    tensor = graph.tensors[output]
    quantization = tensor.quantization
    moved = Quantization(quantization.scale, quantization.zero_point + 1)
    name = f"{output}/moved"
    shape = tuple(-1 if size is None else size for size in tensor.shape)
    op = Op(name, Reshape(shape), (output,), (name,))
    tensors = {**graph.tensors, name: tensor.with_(name=name, quantization=moved)}
    ops = []
    for each in graph.ops:
        inputs = tuple(name if n == output else n for n in each.inputs)
        ops.append(replace(each, inputs=inputs))
        if output in each.outputs:
            ops.append(op)
    return graph.with_(tensors=tensors, ops=tuple(ops))


def gates_swapped(graph: Graph, kernel: str, gates: int, first: int, second: int) -> Graph:
    """Two blocks of rows of a recurrent layer's weights change places."""

    def swap(data: Array) -> Array:
        blocks = np.split(data, gates)
        blocks[first], blocks[second] = blocks[second], blocks[first]
        return np.concatenate(blocks)

    def change(tensor: Tensor) -> Tensor:
        quantization = tensor.quantization
        if quantization is not None and quantization.axis == 0:
            quantization = replace(quantization, scale=swap(quantization.scale))
        return tensor.with_(data=swap(tensor.data), quantization=quantization)

    return with_constant(graph, kernel, change)
