"""Shapes that follow from others."""

from collections.abc import Mapping

from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Tensor


def with_inputs(graph: Graph, inputs: Mapping[str, Tensor]) -> Graph:
    """The graph with other input tensors; every shape that follows from them is inferred again.

    Names, constants and quantisation stay.

    Args:
        inputs: By the tensor's name.
    """
    tensors = {**graph.tensors, **inputs}
    for op in graph.ops:
        types = op.operator.infer([tensors[name] for name in op.inputs])
        for name, type_ in zip(op.outputs, types, strict=True):
            if tensors[name].shape != type_.shape:
                tensors[name] = tensors[name].with_(shape=type_.shape)
    return graph.with_(tensors=tensors)


def of_one_sample(graph: Graph) -> Graph:
    """The graph with an open batch as 1."""
    inputs = {
        tensor.name: tensor.with_(shape=(1, *tensor.shape[1:]))
        for tensor in graph.input_tensors()
        if tensor.shape[:1] == (None,)
    }
    return with_inputs(graph, inputs)
