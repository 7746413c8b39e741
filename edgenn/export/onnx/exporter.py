"""Graph → the bytes of an .onnx file."""

from collections.abc import Iterable
from typing import Any

import onnx

from edgenn.errors import UnsupportedError
from edgenn.export.onnx import emitters
from edgenn.export.onnx.context import Context
from edgenn.export.onnx.dtypes import ELEMENT_TYPES, value_dtype
from edgenn.export.onnx.registry import EMITTERS
from edgenn.export.onnx.serialization import serialize
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Tensor
from edgenn.registration import import_modules

OPSET = 21
"""The first with 16-bit QuantizeLinear; ONNX Runtime 1.20 runs it."""
IR_VERSION = 10
"""The one that belongs to the opset."""
BATCH = "batch"


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
    for op in graph.ops:
        write = EMITTERS.get(type(op.operator))
        if write is None:
            raise UnsupportedError(
                f"{op.name}: there is no ONNX writer for {op.kind!r}",
                hint="leave ONNX out with --format tflite",
            )
        context.begin(op.outputs[0])
        write(op, context)
    for public in graph.outputs:
        context.add_output(public)
    return serialize(model(), structure(graph, context), context.initializers)


def load_emitters() -> None:
    """Imports every file of ``emitters/``, each of which registers its functions."""
    import_modules(emitters)


def model() -> Any:
    """The ModelProto around the graph."""
    return onnx.ModelProto(
        ir_version=IR_VERSION,
        producer_name="edgenn",
        opset_import=[onnx.helper.make_opsetid("", OPSET)],
    )


def structure(graph: Graph, context: Context) -> Any:
    """The GraphProto without its constants; a node is called like its first output."""
    for node in context.nodes:
        node.name = node.output[0]
    return onnx.GraphProto(
        name=graph.name,
        node=context.nodes,
        input=border(graph, graph.inputs.items()),
        output=border(graph, graph.outputs.items()),
    )


def border(graph: Graph, names: Iterable[tuple[str, str]]) -> list[Any]:
    """What stands outside for inputs or outputs (public name, tensor name)."""
    return [value_info(public, graph.tensors[name]) for public, name in names]


def value_info(public: str, tensor: Tensor) -> Any:
    """Name, type and shape; all batches share one open dimension, others are on their own."""
    shape = [
        size if size is not None else BATCH if axis == 0 else f"{public}_dim_{axis}"
        for axis, size in enumerate(tensor.shape)
    ]
    dtype = ELEMENT_TYPES[value_dtype(tensor)]
    return onnx.helper.make_tensor_value_info(public, dtype, shape)
