"""Converts in memory, with made-up samples, for the sake of the files' structure.

Which ops a file has, of which shapes and dtypes, does not depend on the samples; the numbers in
its weights and scales do, and are not looked at. Recurrent layers with float gates in an integer
file are the exception: how many of their products are taken in two parts depends on the data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from edgenn import compiler
from edgenn.compiler import Calibrations, QuantizationOptions
from edgenn.data import load as load_samples
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.lowering.recurrent.forms import Form
from edgenn.passes import with_batch
from edgenn.placement import Program, graph_program, program_of
from edgenn.plan import Build
from edgenn.preflight.samples import made_up_samples
from edgenn.sequences import graph_of_sequences


@dataclass(frozen=True)
class DryFile:
    """A file that was never written.

    Attributes:
        size_bytes: As large as it would be.
    """

    program: Program
    size_bytes: int


class DryRun:
    """One model, converted for as many targets as there are; what they share is done once.

    Args:
        model: A Keras model.
        name: Of the files.
        calibration: Samples, as ``edgenn.data.load`` takes them; made-up ones without.
    """

    def __init__(self, model: Any, name: str, calibration: Any = None) -> None:
        self.model = model
        self.name = name
        self.calibration = calibration
        self.options = QuantizationOptions()
        self._graphs: dict[int | None, Graph] = {}
        self._files: dict[Build, DryFile] = {}

    def graph(self, batch: int | None) -> Graph:
        """The float graph, its batch open wherever that is possible."""
        if batch not in self._graphs:
            self._graphs[batch] = compiler.graph_of(self.model, name=self.name, batch=batch)
        return self._graphs[batch]

    def file(self, build: Build) -> DryFile:
        """What a conversion would write.

        Raises:
            UnsupportedError: It would not be written.
        """
        build = replace(build, variant="", targets=())
        if build not in self._files:
            self._files[build] = self._convert(build)
        return self._files[build]

    def _convert(self, build: Build) -> DryFile:
        graph = self.graph(build.batch)
        if build.form is Form.STEP:
            graph = graph_of_sequences(self.model, graph, batch=build.batch)
        seen: Calibrations = {}
        if build.scheme.learns_from_samples:
            seen = compiler.calibrations(graph, self.samples(graph), [build], self.options)
        built = compiler.built(graph, build, seen, self.options)
        built = with_batch(built, build.batch) if build.batch else built
        content = compiler.written(built, build.format)
        if build.format in ("tflite", "onnx"):
            program = program_of(content, build.format)
        else:
            program = graph_program(built, build.format, str(build.scheme))
        return DryFile(program, len(content))

    def samples(self, graph: Graph) -> Mapping[str, Array]:
        """What calibration sees, by the public names of the inputs."""
        if self.calibration is None:
            return made_up_samples(graph)
        return load_samples(self.calibration, list(graph.inputs), split="calibration").inputs

    @cached_property
    def layers(self) -> list[str]:
        """Paths of the model's layers, as tensors are named after them, in the model's order."""
        from edgenn.frontend.paths import layer_paths

        return list(layer_paths(self.model))
