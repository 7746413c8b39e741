"""Writes graphs as ONNX, checks them with ``onnx.checker`` and runs them in ONNX Runtime."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from edgenn.export.onnx.exporter import to_onnx
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array


def checked(graph: Graph) -> bytes:
    """The file, after ONNX's own full check with strict shape inference."""
    content = to_onnx(graph)
    onnx.checker.check_model(content, full_check=True)
    return content


def session(content: bytes, optimized: Path | None = None) -> onnxruntime.InferenceSession:
    """A session on the CPU, one thread.

    Args:
        optimized: Where to write the graph as the engine has fused it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # without it results depend on the processor: x86 without VNNI adds 8-bit products in 16 bits
    options.add_session_config_entry("session.x64quantprecision", "1")
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def run(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Public output name → array."""
    engine = session(checked(graph))
    assert [node.name for node in engine.get_inputs()] == list(graph.inputs)
    assert [node.name for node in engine.get_outputs()] == list(graph.outputs)
    results = engine.run(None, {name: np.asarray(x) for name, x in inputs.items()})
    return dict(zip(graph.outputs, results, strict=True))


def assert_equals_onnxruntime(
    graph: Graph, inputs: Mapping[str, Array], tolerance: float = 1e-5
) -> None:
    """A float graph gives the same in NumPy, to ``tolerance`` of its range."""
    ours, theirs = evaluate(graph, inputs), run(graph, inputs)
    for public, name in graph.outputs.items():
        mine, other = ours[name], theirs[public]
        assert mine.dtype == other.dtype
        assert mine.shape == other.shape
        limit = tolerance * max(1.0, float(np.abs(other).max(initial=0)))
        np.testing.assert_allclose(other, mine, rtol=0, atol=limit)


def kinds(content: bytes) -> Counter[str]:
    """How many nodes of each operator a file has."""
    return Counter(node.op_type for node in onnx.load_from_string(content).graph.node)


def real_inputs(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Stored integers as the real numbers that an ONNX file takes."""
    tensors = {public: graph.tensors[name] for public, name in graph.inputs.items()}
    return {
        public: np.asarray(
            array if (q := tensors[public].quantization) is None else q.dequantize(array)
        )
        for public, array in inputs.items()
    }


def steps_apart(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """How many steps of its scale each output of ONNX Runtime is from integer evaluation.

    Outputs that are not quantised must be equal.

    Args:
        inputs: Stored integers by public name.
    """
    ours, theirs = evaluate(graph, inputs), run(graph, real_inputs(graph, inputs))
    result = {}
    for public, name in graph.outputs.items():
        quantization = graph.tensors[name].quantization
        if quantization is None:
            np.testing.assert_array_equal(theirs[public], ours[name])
        else:
            difference = np.abs(theirs[public] - quantization.dequantize(ours[name]))
            result[public] = difference / quantization.scale[0]
    return result
