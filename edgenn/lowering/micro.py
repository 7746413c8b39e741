"""Integer graphs in ops that TensorFlow Lite Micro computes as LiteRT's reference kernels do.

The last thing that is done to a graph, once its recurrent layers have their form. The numbers
stay what they are in LiteRT but for rule 1, where both runtimes round in one way instead of two.

1. A dense layer in integers becomes a convolution with a window of 1 × 1. FULLY_CONNECTED rounds
   its sums from float64 in LiteRT, and in fixed point, in int16 with fewer bits, in TensorFlow
   Lite Micro; CONV_2D is the same in both.
2. relu6 from one scale to another becomes relu where the output's integers end at 6 anyway:
   TensorFlow Lite Micro's RELU6 only clamps.
3. reduce_any becomes "not all are not": there is no REDUCE_ANY.
4. exp and log of int8 are looked up in a table, as LiteRT's kernels do: EXP and LOG take floats.

Source: github.com/tensorflow/tflite-micro, ``tensorflow/lite/micro/kernels/`` and
``python/tflite_micro/python_ops_resolver.cc``.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from math import prod

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.fixed_point import activation_range
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Activation, Operator
from edgenn.ir.ops import (
    Conv2D,
    ElementwiseFunction,
    Exp,
    FullyConnected,
    Log,
    LogicalNot,
    ReduceAll,
    ReduceAny,
    Relu,
    Relu6,
    Reshape,
)
from edgenn.ir.ops.function import Step
from edgenn.ir.ops.scan import Scan
from edgenn.ir.tensor import INTEGER_RANGES, Shape, Tensor

IMAGE_RANK = 4


def for_micro(graph: Graph) -> Graph:
    """The graph rewritten, cells of loops as well."""
    builder = GraphBuilder.from_graph(graph)
    for op in graph.ops:
        if isinstance(op.operator, Scan):
            cell = for_micro(op.operator.cell)
            builder.ops.append(replace(op, operator=replace(op.operator, cell=cell)))
        elif not RULES.get(type(op.operator), as_it_is)(op, builder):
            builder.ops.append(op)
    return builder.finish(graph.outputs)


def dense_as_convolutions(graph: Graph, kernels: Collection[str]) -> Graph:
    """The graph, of any numbers, with rule 1 applied where that gives one of these kernels.

    So it has the tensors that a graph which ``for_micro`` wrote has.
    """
    builder = GraphBuilder.from_graph(graph)
    for op in graph.ops:
        if isinstance(op.operator, Scan):
            cell = dense_as_convolutions(op.operator.cell, kernels)
            builder.ops.append(replace(op, operator=replace(op.operator, cell=cell)))
            continue
        is_dense = isinstance(op.operator, FullyConnected)
        if not (is_dense and kernel_of(op) in kernels and as_convolution(op, builder)):
            builder.ops.append(op)
    return builder.finish(graph.outputs)


Rule = Callable[[Op, GraphBuilder], bool]
"""Writes the op in another way, if it applies."""


def as_it_is(op: Op, builder: GraphBuilder) -> bool:
    return False


def dense(op: Op, builder: GraphBuilder) -> bool:
    is_integer = builder.tensor(op.inputs[0]).quantization is not None
    return is_integer and as_convolution(op, builder)


def kernel_of(op: Op) -> str:
    """What the weights of a dense layer are called as a convolution's."""
    return f"{op.inputs[1]}/1x1"


def as_convolution(op: Op, builder: GraphBuilder) -> bool:
    assert isinstance(op.operator, FullyConnected)
    x, weights = (builder.tensor(name) for name in op.inputs[:2])
    output = builder.tensor(op.output)
    if weights.data is None:
        return False
    kernel = kernel_of(op)
    if kernel not in builder.tensors:
        shape = (weights.data.shape[0], 1, 1, weights.data.shape[1])
        builder.constant(kernel, weights.data.reshape(shape), weights.quantization)
    image = x.name if x.rank == IMAGE_RANK else as_image(x, op, builder)
    convolution = Conv2D(activation=op.operator.activation)
    operands = (image, kernel, *op.inputs[2:])
    if x.rank == IMAGE_RANK:
        builder.ops.append(replace(op, operator=convolution, inputs=operands))
        return True
    flat = builder.add(convolution, operands, f"{op.name}/convolved")
    builder.tensors[flat] = builder.tensor(flat).with_(quantization=output.quantization)
    back = Reshape(tuple(-1 if size is None else size for size in output.shape))
    builder.ops.append(replace(op, operator=back, inputs=(flat,)))
    return True


def as_image(x: Tensor, op: Op, builder: GraphBuilder) -> str:
    """The operand of a dense layer in four dimensions."""
    shape, name = image_shape(x.shape), f"{op.name}/image"
    if x.data is not None:  # a first state; TOSA's converter dies of a RESHAPE of constants
        return builder.constant(name, x.data.reshape(shape), x.quantization)
    image = builder.add(Reshape(shape), [x.name], name)
    builder.tensors[image] = builder.tensor(image).with_(quantization=x.quantization)
    return image


def image_shape(shape: Shape) -> tuple[int, ...]:
    """All axes but the last in two, the first of which may be open."""
    first = 1 if len(shape) == 1 else -1 if shape[0] is None else shape[0]
    return (first, 1, prod(size or 1 for size in shape[1:-1]), shape[-1] or 1)


def relu6(op: Op, builder: GraphBuilder) -> bool:
    x, output = builder.tensor(op.inputs[0]), builder.tensor(op.output)
    if output.quantization is None or x.quantization == output.quantization:
        return False
    _, highest = activation_range(Activation.RELU6, output.quantization, output.dtype)
    if highest != INTEGER_RANGES[output.dtype][1]:
        return False
    builder.ops.append(replace(op, operator=Relu()))
    return True


def reduce_any(op: Op, builder: GraphBuilder) -> bool:
    assert isinstance(op.operator, ReduceAny)
    absent = builder.add(LogicalNot(), op.inputs, f"{op.name}/absent")
    operator = ReduceAll(op.operator.axes, op.operator.keep_dims)
    none = builder.add(operator, [absent], f"{op.name}/none")
    builder.ops.append(replace(op, operator=LogicalNot(), inputs=(none,)))
    return True


def table(op: Op, builder: GraphBuilder) -> bool:
    if builder.tensor(op.inputs[0]).dtype != "int8":
        return False
    builder.ops.append(replace(op, operator=ElementwiseFunction((Step(op.operator, (0,)),))))
    return True


RULES: Mapping[type[Operator], Rule] = {
    FullyConnected: dense,
    Relu6: relu6,
    ReduceAny: reduce_any,
    Exp: table,
    Log: table,
}
