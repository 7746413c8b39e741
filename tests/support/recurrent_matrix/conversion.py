"""From a Keras model to the files of all rungs, the way that ``edgenn.convert`` goes."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.recurrent_matrix.rungs import Rung

from edgenn import compiler
from edgenn.compiler import QuantizationOptions
from edgenn.errors import EdgennWarning
from edgenn.ir.tensor import Array
from edgenn.plan import Build, builds
from edgenn.quantization.schemes import Scheme

OPTIONS = QuantizationOptions()


@dataclass
class Conversion:
    """The files of a model, and the errors of those that there are none of.

    Attributes:
        outputs: Public names of the model's outputs, in Keras's order.
        paths: Of each rung's file.
        errors: Of rungs that could not be written.
    """

    outputs: list[str]
    paths: dict[Rung, Path] = field(default_factory=dict)
    errors: dict[Rung, Exception] = field(default_factory=dict)


def converted(
    model: Any, samples: Mapping[str, Array], rungs: Sequence[Rung], folder: Path
) -> Conversion:
    """Writes the files; no error of one rung keeps another from being written."""
    graph = compiler.graph_of(model)
    result = Conversion(list(graph.outputs))
    planned: dict[Rung, Build] = {}
    for rung in rungs:
        with result_of(rung, result):
            (planned[rung],) = builds(
                graph, [Scheme(rung.scheme)], [rung.format], rung.form, rung.precision
            )
    seen: compiler.Calibrations = {}
    for rung, build in planned.items():
        with result_of(rung, result):
            if build.scheme.is_full_integer and (build.scheme, build.gates) not in seen:
                seen.update(compiler.calibrations(graph, samples, [build], OPTIONS))
            content = compiler.written(compiler.built(graph, build, seen, OPTIONS), build.format)
            result.paths[rung] = folder / f"{rung}.{rung.format}"
            result.paths[rung].write_bytes(content)
    return result


class result_of:  # noqa: N801
    """Keeps the error of a rung."""

    def __init__(self, rung: Rung, result: Conversion) -> None:
        self.rung = rung
        self.result = result

    def __enter__(self) -> None:
        self.caught = warnings.catch_warnings()
        self.caught.__enter__()
        warnings.simplefilter("ignore", EdgennWarning)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        self.caught.__exit__(kind, error, trace)
        if isinstance(error, Exception):
            self.result.errors[self.rung] = error
            return True
        return False
