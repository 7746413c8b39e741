"""Explains an artifact: runs it beside the float graph, judges its layers, ranks them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Final

import numpy as np

from edgenn.drift.explain.comparison import Comparison, compare
from edgenn.drift.explain.diagnosis import Case, diagnose
from edgenn.drift.explain.excess import LIMIT, Layer, statistics_of
from edgenn.drift.explain.gathering import layers
from edgenn.drift.explain.matching import Match, is_real, match
from edgenn.drift.explain.ranking import ranked, read_layers
from edgenn.drift.explain.reference import in_form_of
from edgenn.drift.explain.report import Explanation, Histogram, LayerError
from edgenn.drift.explain.running import observe
from edgenn.drift.explain.sums import Grid, TensorSums
from edgenn.drift.explain.switching import regained
from edgenn.errors import UnsupportedError
from edgenn.importing import read_tflite_graph
from edgenn.ir.graph import Graph
from edgenn.ir.stepping import step_of
from edgenn.ir.tensor import INTEGER_RANGES, Array
from edgenn.progress import Progress, silent
from edgenn.quantization.schemes import Scheme

SAMPLES: Final = 32
WORTH_SAYING: Final = 0.05
"""Share of the output's squared error."""


@dataclass(frozen=True)
class Study:
    """An artifact beside the float graph, and what running both has shown.

    Attributes:
        source: The float graph as Keras has it.
        reference: The float graph in the form of the artifact.
        samples: Public input name → the samples that were run.
        layers: In the model's order; inputs are layers, too.
        statistics: Layer → its excess, in every way of looking at it.
    """

    source: Graph
    reference: Graph
    artifact: Graph
    found: Match
    comparison: Comparison
    samples: Mapping[str, Array]
    layers: list[Layer]
    statistics: Mapping[str, Mapping[str, float]]

    @property
    def count(self) -> int:
        return len(next(iter(self.samples.values())))

    def excess(self, layer: str) -> float:
        return max(self.statistics[layer].values(), default=0.0)

    def main_statistic(self, layer: str) -> str:
        """The way of looking at a layer in which it is worst."""
        values = self.statistics[layer]
        return max(values, key=lambda name: values[name])


def explain_artifact(
    path: Path,
    float_graph: Graph,
    inputs: Mapping[str, Array],
    *,
    factors: Mapping[str, Array] | None = None,
    scheme: Scheme = Scheme.INT8,
    samples: int = SAMPLES,
    switch_off: bool = True,
    progress: Progress = silent,
) -> Explanation:
    """Says which layer made a .tflite file wrong.

    Args:
        float_graph: Captured from the Keras model.
        inputs: Public input name → samples ``(n, …)``, as the Keras model takes them.
        factors: Tensor → what its channels were divided by in the artifact, along the last axis.
        samples: How many of the samples are run, spread evenly.
        switch_off: Also measure what each suspicious layer alone in float would bring.

    Raises:
        ArtifactError: The file is no .tflite file.
        UnsupportedError: It has an op that edgenn does not know.
        EngineError: The engine crashed or took too long.
    """
    artifact = read_tflite_graph(path)
    found = study(
        artifact,
        float_graph,
        inputs,
        factors=factors or {},
        scheme=scheme,
        samples=samples,
        progress=progress,
    )
    return explained(path.name, found, switch_off=switch_off, progress=progress)


def study(
    artifact: Graph,
    float_graph: Graph,
    inputs: Mapping[str, Array],
    *,
    factors: Mapping[str, Array],
    scheme: Scheme,
    samples: int = SAMPLES,
    progress: Progress = silent,
) -> Study:
    """Runs an artifact's graph beside the float graph.

    Raises:
        EngineError: The engine crashed, or cannot run it.
        UnsupportedError: It runs one step of a sequence.
    """
    if step_of(artifact) is not None:
        raise UnsupportedError(
            "a file that runs one step at a time cannot be explained layer by layer",
            "explain the file that runs whole sequences (--rnn loop); the weights are the same",
        )
    reference = in_form_of(float_graph, artifact, factors, scheme)
    found = match(reference, artifact)
    comparison = compare(reference, artifact, found)
    chosen = spread(inputs, samples)
    observed = observe(artifact, comparison, chosen, progress)
    known = layers(reference, artifact, found, comparison, observed)
    statistics = {layer.name: statistics_of(layer) for layer in known}
    return Study(float_graph, reference, artifact, found, comparison, chosen, known, statistics)


def spread(inputs: Mapping[str, Array], samples: int) -> dict[str, Array]:
    """Some samples, evenly from all of them."""
    count = len(next(iter(inputs.values())))
    rows = np.unique(np.linspace(0, count - 1, min(samples, count)).astype(int))
    return {name: array[rows] for name, array in inputs.items()}


def explained(
    name: str, found: Study, *, switch_off: bool = True, progress: Progress = silent
) -> Explanation:
    """What a study says."""
    suspects = ranked(
        [layer.name for layer in found.layers],
        found.statistics,
        read_layers(found.reference, found.artifact, found.found),
    )
    errors = {layer.name: layer_error(layer, found) for layer in found.layers}
    ordered = suspects + sorted(
        (layer for layer in errors if layer not in suspects),
        key=lambda layer: errors[layer].introduced,
        reverse=True,
    )
    gains: dict[str, float] = {}
    if switch_off:
        gains = regained(
            found.artifact,
            found.reference,
            found.comparison,
            found.found,
            ordered,
            found.samples,
            progress,
        )
    innocent = [layer for layer in ordered if layer not in suspects]
    ranking = suspects + sorted(innocent, key=lambda x: gains.get(x, -np.inf), reverse=True)
    clipped = sum(found.statistics[layer]["saturation"] > LIMIT for layer in found.statistics)
    cases = {
        layer.name: Case(
            layer,
            found.statistics[layer.name],
            found.source,
            found.reference,
            found.artifact,
            found.found,
            clipped,
        )
        for layer in found.layers
        if layer.name in suspects
    }
    diagnoses = {layer: diagnose(case) for layer, case in cases.items()}
    result = tuple(
        with_findings(error, gains.get(layer), diagnoses.get(layer, ()))
        for layer, error in errors.items()
    )
    return Explanation(
        artifact=name,
        samples=found.count,
        layers=result,
        ranking=tuple(ranking),
        sentence=sentence(found, suspects, ranking, gains, diagnoses),
        notes=notes(found),
    )


def with_findings(error: LayerError, gain: float | None, diagnosis: tuple[str, ...]) -> LayerError:
    return replace(error, regained=gain, diagnosis=diagnosis)


def layer_error(layer: Layer, found: Study) -> LayerError:
    """The errors of a layer's output; of the last one where it has several."""
    _, sums, grid = layer.tensors[-1]
    size = sqrt(float(sums["free²"].sum()))

    def relative(field: str) -> float:
        rest = sqrt(float(sums[field].sum()))
        return rest / size if size > 0 else rest

    return LayerError(
        layer=layer.name,
        op=layer.kind,
        introduced=relative("introduced²"),
        inherited=relative("carried²"),
        total=relative("total²"),
        excess=found.excess(layer.name),
        values=histogram(sums, grid),
    )


def histogram(sums: TensorSums, grid: Grid) -> Histogram | None:
    """How often the layer's output holds which integers."""
    if not grid.is_integer:
        return None
    low, high = INTEGER_RANGES[grid.dtype]
    counts = sums["histogram"]
    edges = np.linspace(low, high + 1, len(counts) + 1)
    clipped = int(sums["lowest"].sum()), int(sums["highest"].sum())
    return Histogram(tuple(edges.tolist()), tuple(counts.astype(int).tolist()), *clipped)


def sentence(
    found: Study,
    suspects: list[str],
    ranking: list[str],
    gains: Mapping[str, float],
    diagnoses: Mapping[str, tuple[str, ...]],
) -> str:
    """The result in words."""
    if suspects:
        layer = suspects[0]
        excess = found.excess(layer)
        why = diagnoses[layer][0] if diagnoses[layer] else CAUSES[found.main_statistic(layer)]
        return f"{layer}: {why} (excess {excess:.3g}; {LIMIT:g} is the limit)"
    healthy = "no layer does worse than rounding explains"
    if ranking and gains.get(ranking[0], 0.0) > WORTH_SAYING:
        gain = gains[ranking[0]]
        return f"{healthy}; {ranking[0]} in float would take away {gain:.0%} of the squared error"
    return healthy


CAUSES: Final[Mapping[str, str]] = {
    "own error": "its own error is more than rounding explains",
    "worst channel": "one of its channels is wrong by more than rounding explains",
    "arithmetic": "its op does not compute what it should",
    "zero point": "its op shifts the values",
    "weights": "its weights are not those of Keras",
    "bias": "its bias is not that of Keras",
    "saturation": "its integers cannot hold its values",
    "unused range": "its integers cover far more than its values",
}
"""Statistic → what it means, where no diagnosis says it better."""


def notes(found: Study) -> tuple[str, ...]:
    """What limits the result."""
    computed = [
        name
        for op in found.reference.ops
        for name in op.outputs
        if name not in found.found.actual and is_real(found.reference.tensors[name])
    ]
    if not computed:
        return ()
    named = ", ".join(computed[:3]) + (" …" if len(computed) > 3 else "")
    return (f"{len(computed)} tensors of the float graph are not in the file: {named}",)
