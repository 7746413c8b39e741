"""Gives every tensor of a float graph for a batch of inputs, by LiteRT or by NumPy.

LiteRT runs a copy of the graph whose outputs are all its tensors: XNNPACK then computes just
what the float artifact computes, some ten times faster than the NumPy evaluator does.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.quantization.calibration import Observe, observed_tensors


def numpy_observer(graph: Graph) -> Observe:
    """Observes with the graph evaluator."""
    names = observed_tensors(graph)
    return lambda batch: evaluate(graph, batch, keep=names)


def litert_observer(graph: Graph, write: Callable[[Graph], bytes], threads: int = 2) -> Observe:
    """Observes with LiteRT.

    Args:
        write: The exporter: graph → bytes of a .tflite file.
        threads: Of the engine.
    """
    names = observed_tensors(graph)
    inputs = set(graph.inputs.values())
    computed = [name for name in names if name not in inputs]
    whole = graph.with_(outputs={name: name for name in computed} or graph.outputs)
    return _LiteRTObserver(whole, write(whole), threads)


class _LiteRTObserver:
    def __init__(self, graph: Graph, content: bytes, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.graph = graph
        self.interpreter: Any = Interpreter(model_content=content, num_threads=threads)
        self.batch_shapes: list[tuple[int, ...]] = []
        self.inputs = [detail["index"] for detail in self.interpreter.get_input_details()]
        self.outputs = [detail["index"] for detail in self.interpreter.get_output_details()]

    def __call__(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        arrays = [np.ascontiguousarray(batch[public]) for public in self.graph.inputs]
        self._resize([array.shape for array in arrays])
        for index, array in zip(self.inputs, arrays, strict=True):
            self.interpreter.set_tensor(index, array)
        self.interpreter.invoke()
        # views into the engine's memory: valid until the next call, which is all we need
        values = {
            name: self.interpreter.tensor(index)()
            for name, index in zip(self.graph.outputs.values(), self.outputs, strict=True)
        }
        values.update(zip(self.graph.inputs.values(), arrays, strict=True))
        return values

    def _resize(self, shapes: list[tuple[int, ...]]) -> None:
        if shapes == self.batch_shapes:
            return
        for index, shape in zip(self.inputs, shapes, strict=True):
            self.interpreter.resize_tensor_input(index, shape)
        self.interpreter.allocate_tensors()
        self.batch_shapes = shapes
