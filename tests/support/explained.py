"""Artifacts of the shipped models and what explaining them says, each made once."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import keras

from edgenn import compiler
from edgenn.compiler import QuantizationOptions, calibrations
from edgenn.drift.explain.explain import Study, explained, study
from edgenn.drift.explain.report import Explanation
from edgenn.importing import read_tflite_graph
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.lowering.recurrent.forms import Form, is_recurrent
from edgenn.plan import DEFAULT_DIALECT, Build
from edgenn.quantization.equalization import FACTORS
from edgenn.quantization.schemes import Gates, Scheme

MODELS = Path(__file__).parents[2] / "models"


@dataclass(frozen=True)
class Converted:
    """A model, its artifact's graph, and samples that calibration has not seen."""

    graph: Graph
    artifact: Graph
    factors: Mapping[str, Array]
    samples: Mapping[str, Array]
    scheme: Scheme

    def study(self, artifact: Graph | None = None, *, samples: Mapping[str, Array] | None = None):
        """The study of a file that holds the artifact, or another graph in its place."""
        content = compiler.written(artifact or self.artifact, "tflite")
        return study(
            read_tflite_graph(content),
            self.graph,
            samples or self.samples,
            factors=self.factors,
            scheme=self.scheme,
        )

    def explain(self, artifact: Graph, *, switch_off: bool = False) -> tuple[Study, Explanation]:
        found = self.study(artifact)
        return found, explained("file.tflite", found, switch_off=switch_off)


def data_of(name: str) -> Mapping[str, tuple[Array, Array]]:
    spec = importlib.util.spec_from_file_location(name, MODELS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load_data()


@cache
def converted(
    name: str,
    scheme: str,
    gates: str = "float32",
    form: str = "loop",
    format_: str = "tflite",
    dialect: str = DEFAULT_DIALECT,
) -> Converted:
    """A shipped model in a scheme."""
    data = data_of(name)
    graph = compiler.graph_of(keras.models.load_model(MODELS / "pretrained" / f"{name}.keras"))
    (public,) = graph.inputs
    calibration, samples = {public: data["calibration"][0]}, {public: data["test"][0]}
    return converted_graph(graph, calibration, samples, scheme, gates, form, format_, dialect)


def converted_graph(
    graph: Graph,
    calibration: Mapping[str, Array],
    samples: Mapping[str, Array],
    scheme: str,
    gates: str = "float32",
    form: str = "loop",
    format_: str = "tflite",
    dialect: str = DEFAULT_DIALECT,
) -> Converted:
    own_form = Form(form) if is_recurrent(graph) else None
    build = Build(Scheme(scheme), format_, own_form, Gates(gates), dialect=dialect)
    options = QuantizationOptions()
    seen = {}
    if build.scheme.is_full_integer:
        seen = calibrations(graph, calibration, [build], options)
    factors = {}
    for entry in seen.values():
        factors = entry.graph.metadata.get(FACTORS, {})
    artifact = compiler.built(graph, build, seen, options)
    return Converted(graph, artifact, factors, samples, build.scheme)
