"""Graph → the bytes of a .tflite file."""

from ai_edge_litert import schema_py_generated as schema

from edgenn.export.tflite import emitters
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.metadata import add_metadata
from edgenn.export.tflite.registry import write_ops
from edgenn.export.tflite.serialization import serialize
from edgenn.ir.graph import Graph
from edgenn.registration import import_modules

SIGNATURE = "serving_default"


def to_tflite(graph: Graph) -> bytes:
    """Writes the graph with builtin ops only.

    Raises:
        UnsupportedError: An op that TFLite has no builtin for.
    """
    load_emitters()
    context = Context(graph)
    context.subgraph.inputs = context.indices(tuple(graph.inputs.values()))
    write_ops(context)
    context.subgraph.outputs = context.indices(tuple(graph.outputs.values()))
    context.model.description = "edgenn"
    context.model.signatureDefs = [signature(graph, context)]
    add_metadata(context)
    return serialize(context.model)


def load_emitters() -> None:
    """Imports every file of ``emitters/``, each of which registers its functions."""
    import_modules(emitters)


def signature(graph: Graph, context: Context) -> schema.SignatureDefT:
    """Public names of the inputs and outputs."""
    result = schema.SignatureDefT()
    result.signatureKey = SIGNATURE
    result.subgraphIndex = 0
    result.inputs = [tensor_map(name, context.index(t)) for name, t in graph.inputs.items()]
    result.outputs = [tensor_map(name, context.index(t)) for name, t in graph.outputs.items()]
    return result


def tensor_map(name: str, index: int) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    entry.name = name
    entry.tensorIndex = index
    return entry
