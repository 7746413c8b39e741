"""Runs graphs in LiteRT: the witness of the TFLite writer and of integer evaluation."""

from collections.abc import Mapping

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.runtime.litert_variables import Variables
from edgenn.runtime.tflite_file import parse_tflite

REFERENCE = OpResolverType.BUILTIN_REF
"""The reference kernels: what integer evaluation must equal bit for bit."""
DEFAULT = OpResolverType.AUTO
"""Optimised kernels with XNNPACK: what runs by default."""


def interpreter(content: bytes, resolver: OpResolverType = REFERENCE) -> Interpreter:
    """An interpreter that is not allocated yet; one thread."""
    return Interpreter(model_content=content, experimental_op_resolver_type=resolver, num_threads=1)


def run_bytes(
    content: bytes, inputs: Mapping[str, Array], resolver: OpResolverType = REFERENCE
) -> dict[str, Array]:
    """Runs a .tflite with one signature; raw arrays in and out by public name.

    Inputs of another shape than the file's are set with ``resize_tensor_input`` first, and so
    are the states of kernels, to the batch of the inputs.
    """
    engine = interpreter(content, resolver)
    variables = Variables(parse_tflite(content, "model").variables, engine)
    variables.resize([np.shape(value) for value in inputs.values()])
    (key,) = engine.get_signature_list()
    runner = engine.get_signature_runner(key)
    outputs = runner(**{name: np.asarray(value) for name, value in inputs.items()})
    return dict(outputs)


def run(
    graph: Graph, inputs: Mapping[str, Array], resolver: OpResolverType = REFERENCE
) -> dict[str, Array]:
    """Writes the graph as TFLite and runs it; public output name → raw array."""
    return run_bytes(to_tflite(graph), inputs, resolver)
