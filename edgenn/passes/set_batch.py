"""Fixes the open batch dimension."""

from edgenn.errors import UsageError
from edgenn.ir.graph import Graph
from edgenn.ir.inference import with_inputs


def with_batch(graph: Graph, batch: int) -> Graph:
    """The graph with the open first dimension of every input fixed to ``batch``.

    Every shape that follows from it is inferred again; names, constants and quantisation stay.

    Raises:
        UsageError: ``batch`` is not positive, or an input has another fixed batch.
    """
    if batch < 1:
        raise UsageError(f"batch {batch} is not a positive number", "ask for 1 or more")
    inputs = {}
    for tensor in graph.input_tensors():
        if tensor.shape[:1] not in ((None,), (batch,)):
            raise UsageError(
                f"input {tensor.name!r} has the fixed shape {tensor.shape}: no batch of {batch}",
                "leave the batch out, or build the model with an open one",
            )
        inputs[tensor.name] = tensor.with_(shape=(batch, *tensor.shape[1:]))
    return with_inputs(graph, inputs)
