"""A .tflite read back as a graph and evaluated in NumPy: no kernel of any runtime takes part."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from edgenn.errors import EngineError
from edgenn.importing import read_tflite_graph
from edgenn.ir.evaluator import evaluate
from edgenn.runners.runner import Runner
from edgenn.runtime.tensor_info import Array
from edgenn.runtime.tflite_file import read_tflite


class NumpyGraphRunner(Runner):
    name = "numpy"
    suffix = ".tflite"
    engine = "edgenn.runners.numpy_graph:open_graph"
    option_names = ()


class GraphEngine:
    """Evaluates the graph of one file; integers are those of TFLite's reference kernels.

    Raises:
        ArtifactError: The file is damaged or no .tflite.
        UnsupportedError: It has an op that the graph has no operator for.
    """

    name = "numpy"
    version = f"edgenn {version('edgenn')}, numpy {np.__version__}"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.graph = read_tflite_graph(path)
        content = read_tflite(path)
        self.inputs = tuple(port.info for port in content.inputs)
        self.outputs = tuple(port.info for port in content.outputs)
        self.step = content.step

    def reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Arrays bring their shapes along."""

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        given = dict(zip(self.graph.inputs, arrays, strict=True))
        names = self.graph.outputs.values()
        try:
            values = evaluate(self.graph, given, names)
        except (ValueError, IndexError) as error:
            raise EngineError(f"{self.path}: it cannot be evaluated: {error}") from error
        return [np.array(values[name]) for name in names]


def open_graph(path: Path, options: Mapping[str, Any]) -> GraphEngine:
    return GraphEngine(path)
