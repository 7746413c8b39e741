"""Graph → the bytes of an .onnx file."""

from collections.abc import Iterable
from typing import Any

import onnx

from edgenn.export.onnx import emitters
from edgenn.export.onnx.context import Context
from edgenn.export.onnx.registry import write_ops
from edgenn.export.onnx.serialization import serialize
from edgenn.export.onnx.value_info import named, value_info
from edgenn.ir.graph import Graph
from edgenn.ir.stepping import step_of
from edgenn.registration import import_modules
from edgenn.runtime.step_info import METADATA_KEY

OPSET = 21
"""The first with 16-bit QuantizeLinear; ONNX Runtime 1.20 runs it."""
IR_VERSION = 10
"""The one that belongs to the opset."""


def to_onnx(graph: Graph) -> bytes:
    """Writes the graph with standard ops only.

    Inputs and outputs have the graph's public names, are channels-last and, where the graph
    quantises them, float32: the QuantizeLinear stands inside.

    Raises:
        UnsupportedError: An op that ONNX has no counterpart for.
    """
    load_emitters()
    context = Context(graph)
    for public in graph.inputs:
        context.add_input(public)
    write_ops(context)
    for public in graph.outputs:
        context.add_output(public)
    return serialize(model(graph), structure(graph, context), context.initializers)


def load_emitters() -> None:
    """Imports every file of ``emitters/``, each of which registers its functions."""
    import_modules(emitters)


def model(graph: Graph) -> Any:
    """The ModelProto around the graph; it says how the steps of one that runs one follow on."""
    properties = []
    info = step_of(graph)
    if info is not None:
        entry = onnx.StringStringEntryProto(key=METADATA_KEY, value=info.to_json())
        properties.append(entry)
    return onnx.ModelProto(
        ir_version=IR_VERSION,
        producer_name="edgenn",
        opset_import=[onnx.helper.make_opsetid("", OPSET)],
        metadata_props=properties,
    )


def structure(graph: Graph, context: Context) -> Any:
    """The GraphProto without its constants; a node is called like its first output."""
    return onnx.GraphProto(
        name=graph.name,
        node=named(context.nodes),
        input=border(graph, graph.inputs.items()),
        output=border(graph, graph.outputs.items()),
    )


def border(graph: Graph, names: Iterable[tuple[str, str]]) -> list[Any]:
    """What stands outside for inputs or outputs (public name, tensor name)."""
    return [value_info(public, graph.tensors[name]) for public, name in names]
