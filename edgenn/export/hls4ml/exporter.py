"""Graph → the bytes of an .hls4ml file, which hls4ml turns into C++ for an FPGA."""

from typing import Any, Final

from edgenn.errors import UnsupportedError
from edgenn.export.hls4ml import emitters, registry
from edgenn.export.hls4ml.context import Context
from edgenn.export.hls4ml.serialization import serialize
from edgenn.ir.graph import Graph
from edgenn.registration import import_modules

VERSION: Final = 1
"""Of the file's layout."""


def to_hls4ml(graph: Graph) -> bytes:
    """Writes a float graph as hls4ml's own list of layers, in 16-bit fixed point.

    Activations get the formats that ``ir.fixed_format`` has kept of calibration, and ±32 where
    there are none; weights get the format that holds them; sums are exact.

    Raises:
        UnsupportedError: An op that hls4ml has no layer for, by the layer's path.
    """
    context = started(graph)
    registry.write_ops(context)
    outputs = [port(graph, public, made(context, name)) for public, name in graph.outputs.items()]
    inputs = [port(graph, public, context.layer_of(name)) for public, name in graph.inputs.items()]
    model = {
        "version": VERSION,
        "name": graph.name,
        "inputs": inputs,
        "outputs": outputs,
        "layers": used(context, [entry["layer"] for entry in (*inputs, *outputs)]),
    }
    return serialize(model, context.weights)


def refusals(graph: Graph) -> dict[str, UnsupportedError]:
    """Op → why it cannot be laid out, for each of a float graph's that ``to_hls4ml`` refuses.

    Raises:
        UnsupportedError: An input of open size: then nothing can be said of any op.
    """
    return registry.refusals(started(graph))


def started(graph: Graph) -> Context:
    """A context with the graph's inputs."""
    import_modules(emitters)
    context = Context(graph)
    for public in graph.inputs:
        context.add_input(public)
    return context


def port(graph: Graph, public: str, layer: str) -> dict[str, Any]:
    """What stands outside for an input or output."""
    tensor = graph.tensors[graph.inputs.get(public) or graph.outputs[public]]
    return {"name": public, "shape": list(tensor.shape), "dtype": tensor.dtype, "layer": layer}


def made(context: Context, name: str) -> str:
    """The layer that computes an output: a reshape at the end only says how to read it.

    Raises:
        UnsupportedError: An output that is an input.
    """
    layers = {layer["name"]: layer for layer in context.layers}
    layer = layers[context.layer_of(name)]
    while layer["class_name"] == "Reshape":
        layer = layers[layer["inputs"][0]]
    if layer["class_name"] == "InputLayer":
        raise UnsupportedError(f"{name}: the model gives out an input as it is; nothing to lay out")
    return str(layer["name"])


def used(context: Context, ends: list[str]) -> list[dict[str, Any]]:
    """The layers that somebody reads."""
    read = {*ends, *(name for layer in context.layers for name in layer["inputs"])}
    kept = list(context.layers)
    while len(rest := [layer for layer in kept if layer["name"] in read]) < len(kept):
        kept = rest
        read = {*ends, *(name for layer in kept for name in layer["inputs"])}
    return kept
