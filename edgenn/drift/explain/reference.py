"""The float graph in the form of an artifact: the same model, tensor by tensor comparable.

An artifact of edgenn is the float graph with balanced channels, in ops that have integer kernels,
its recurrent layers as loops. All of that leaves the float model as it is, and can be done to the
float graph alone.
"""

from collections.abc import Mapping, Sequence

from edgenn.drift.explain.twin import stored_constants
from edgenn.ir.flat_loops import close_loops, open_loops
from edgenn.ir.graph import Graph
from edgenn.ir.layers import LAYERS
from edgenn.ir.ops.fused_lstm import FusedLstm
from edgenn.ir.ops.scan import Scan
from edgenn.ir.tensor import Array
from edgenn.lowering.integer import legalize
from edgenn.lowering.micro import dense_as_convolutions
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.quantization.equalization import scale_inputs, scale_outputs
from edgenn.quantization.schemes import INTEGER_FORMATS, Scheme


def in_form_of(
    graph: Graph, artifact: Graph, factors: Mapping[str, Array], scheme: Scheme
) -> Graph:
    """The float graph with the tensors that the artifact has.

    Args:
        factors: Tensor → what its channels were divided by in the artifact.
    """
    result = formed(divided(graph, factors), artifact, scheme)
    return result.with_(metadata={**result.metadata, LAYERS: layer_names(graph)})


def layer_names(graph: Graph) -> Sequence[str]:
    """What the graph knows of its layers."""
    known: Sequence[str] = graph.metadata.get(LAYERS, ())
    return known


def formed(balanced: Graph, artifact: Graph, scheme: Scheme) -> Graph:
    """The graph with loops and in ops as the artifact has them."""
    if not any(isinstance(op.operator, FusedLstm) for op in artifact.ops):
        balanced = to_loops(balanced)
    if scheme not in INTEGER_FORMATS:
        return balanced
    gates = dtype_of_gates(artifact)
    flat = balanced if gates is None else open_loops(balanced)
    legal = close_loops(legalize(flat, INTEGER_FORMATS[scheme].activation, loop_dtype=gates))
    return dense_as_convolutions(legal, [name for name, _ in stored_constants(artifact)])


def dtype_of_gates(artifact: Graph) -> str | None:
    """What the cells of an artifact's loops compute in, where that is integers."""
    dtypes = {
        tensor.dtype
        for op in artifact.ops
        if isinstance(op.operator, Scan)
        for tensor in op.operator.state_tensors
        if tensor.quantization is not None
    }
    return min(dtypes, default=None)


def divided(graph: Graph, factors: Mapping[str, Array]) -> Graph:
    """The same model with the channels of some tensors divided, as ``equalize`` does it."""
    tensors = dict(graph.tensors)
    for op in graph.ops:
        name = op.outputs[0]
        if name not in factors:
            continue
        scale_outputs(tensors, op, 1 / factors[name])
        for consumer in graph.consumers[name]:
            scale_inputs(tensors, consumer, factors[name])
    return graph.with_(tensors=tensors)
