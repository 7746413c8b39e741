"""What would lessen the error, in words that ``convert`` accepts, and what it would bring.

Layers in float are measured on the artifact at hand: up to the layer and behind it everything
stays as it is. Other precisions and calibrators need a new conversion, which the caller makes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edgenn.drift.explain.comparison import compare
from edgenn.drift.explain.explain import Study
from edgenn.drift.explain.matching import match
from edgenn.drift.explain.reference import in_form_of
from edgenn.drift.explain.report import Explanation, Remedy
from edgenn.drift.explain.running import Switch, run
from edgenn.drift.explain.switching import needed, nothing_off, outputs_of, switch_off
from edgenn.drift.metrics import Value
from edgenn.errors import EdgennError
from edgenn.importing import read_tflite_graph
from edgenn.ir.graph import Graph
from edgenn.ir.ops.recurrent import Gru, Lstm, SimpleRnn
from edgenn.ir.ops.scan import Scan
from edgenn.ir.tensor import Array
from edgenn.progress import Progress, silent
from edgenn.quantization.calibrators import CALIBRATORS, DEFAULT_CALIBRATOR
from edgenn.quantization.schemes import Scheme

LAYERS: Final = 2
"""How many layers remedies are tried for."""
LOOPS: Final = tuple(kind.kind for kind in (Scan, Lstm, Gru, SimpleRnn))
"""Ops of recurrent layers."""

Outputs = Mapping[str, Array]
"""Public output name → real numbers ``(n, …)``."""
Reconvert = Callable[[str], bytes | None]
"""Options in ``convert``'s words → the .tflite file that they give; ``None`` if it cannot be."""


@dataclass(frozen=True)
class Measure:
    """What counts as better.

    Attributes:
        name: Of the metric.
        value: ``(outputs, Keras's outputs) → number``, on the study's samples.
        more_is_better: Which way is up.
        of_keras: Whether Keras itself has such a number: a task metric.
    """

    name: str
    value: Callable[[Outputs, Outputs], Value]
    more_is_better: bool = False
    of_keras: bool = False


def rmse(outputs: Outputs, keras: Outputs) -> Value:
    """Root mean square error over all outputs."""
    errors = [np.square(outputs[name].astype(np.float64) - keras[name]) for name in outputs]
    total = sum(error.size for error in errors)
    return float(np.sqrt(sum(error.sum() for error in errors) / total)) if total else None


RMSE: Final = Measure("rmse", rmse)


def remedies(
    found: Study,
    explanation: Explanation,
    *,
    scheme: Scheme,
    content: bytes = b"",
    measure: Measure = RMSE,
    reconvert: Reconvert | None = None,
    progress: Progress = silent,
) -> tuple[Remedy, ...]:
    """Remedies that help, the best first; none where a layer is at fault: that is to be mended.

    Args:
        explanation: Of the study; its ranking says which layers to try.
        content: Of the artifact's file, to say what a remedy costs.
        reconvert: Makes files with other options; without it only layers in float are tried.

    Raises:
        EngineError: The engine crashed or took too long.
    """
    if any(layer.diagnosis for layer in explanation.layers) or not scheme.is_quantized:
        return ()
    known = {layer.layer: layer for layer in explanation.layers}
    layers = [name for name in explanation.ranking if known[name].op != "input"][:LAYERS]
    keras, before, floats = with_layers_in_float(found, layers, progress)
    own = measure.value(keras, keras) if measure.of_keras else None
    results: dict[tuple[str, str], tuple[Outputs, int | None]] = {
        (layer, f"--keep-float {layer}"): (outputs, None) for layer, outputs in floats.items()
    }
    loops = any(known[name].op in LOOPS for name in layers)
    for layer, options in tried(layers, scheme, loops=loops) if reconvert else ():
        assert reconvert is not None
        try:
            file = reconvert(options)
            if file is not None:
                outputs = predictions(file, found, scheme, progress)
                results[layer, options] = outputs, len(file) - len(content) if content else None
        except EdgennError:  # an option that this model cannot have is no remedy
            continue
    start = measure.value(before, keras)
    measured = [
        Remedy(layer, options, measure.name, start, measure.value(outputs, keras), own, more)
        for (layer, options), (outputs, more) in results.items()
    ]
    sign = -1 if measure.more_is_better else 1
    better = [r for r in measured if is_better(r.after, start, sign)]
    return tuple(sorted(better, key=lambda remedy: sign * float(remedy.after or 0.0)))


def is_better(after: Value, before: Value, sign: int) -> bool:
    return after is not None and before is not None and sign * after < sign * before


def tried(layers: Sequence[str], scheme: Scheme, *, loops: bool) -> list[tuple[str, str]]:
    """Layer and options that need a new conversion; empty layers stand for the whole model.

    Args:
        loops: Whether one of the layers is recurrent: its gates have a precision of their own.
    """
    options = [(layer, f"--keep-float {layer}") for layer in layers]
    if scheme is Scheme.INT8:
        options += [(layer, f"--quantize int16x8 --only {layer}") for layer in layers]
    if scheme.is_full_integer:
        others = [name for name in CALIBRATORS if name != DEFAULT_CALIBRATOR]
        options += [("", f"--calibrator {name}") for name in others]
        options += [("", f"--rnn-precision {gates}") for gates in ("int16", "float32") if loops]
    return options


def with_layers_in_float(
    found: Study, layers: Sequence[str], progress: Progress
) -> tuple[Outputs, Outputs, dict[str, Outputs]]:
    """Keras's outputs, the artifact's, and those with each layer in float."""
    outputs = outputs_of(found.artifact, found.comparison, found.found)
    switches = [nothing_off(found.artifact, outputs)]
    for layer in layers:
        switch = switch_off(
            layer, found.artifact, found.reference, found.comparison, found.found, outputs
        )
        if switch is not None:
            switches.append(switch)
    given = run(
        found.artifact,
        needed(found.comparison, switches),
        found.samples,
        switches,
        progress,
        keep_outputs=True,
    )
    public = {name: key for key, name in found.artifact.outputs.items()}
    gathered = [
        gather(given.arrays, index, switch, public, found.count)
        for index, switch in enumerate(switches)
    ]
    keras = {
        public[name]: array[: found.count]
        for name in outputs
        for array in [given.arrays[f"free\0{name}"]]
    }
    return keras, gathered[0], dict(zip((s.layer for s in switches[1:]), gathered[1:], strict=True))


def gather(
    arrays: Mapping[str, Array], index: int, switch: Switch, public: Mapping[str, str], count: int
) -> Outputs:
    return {public[name]: arrays[f"switch\0{index}\0{name}"][:count] for name in switch.outputs}


def predictions(file: bytes, found: Study, scheme: Scheme, progress: Progress) -> Outputs:
    """What another file gives for the study's samples."""
    artifact = read_tflite_graph(file)
    outputs, answer = outputs_alone(artifact, found, scheme, progress)
    public = {name: key for key, name in artifact.outputs.items()}
    return gather(answer, 0, nothing_off(artifact, outputs), public, found.count)


def outputs_alone(
    artifact: Graph, found: Study, scheme: Scheme, progress: Progress
) -> tuple[dict[str, str], Mapping[str, Array]]:
    reference = in_form_of(found.source, artifact, {}, scheme)
    matched = match(reference, artifact)
    comparison = compare(reference, artifact, matched)
    outputs = outputs_of(artifact, comparison, matched)
    switches = [nothing_off(artifact, outputs)]
    answer = run(
        artifact,
        needed(comparison, switches),
        found.samples,
        switches,
        progress,
        keep_outputs=True,
    )
    return outputs, answer.arrays
