"""The layers of every file of a check, and what would help those that fail."""

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from edgenn import compiler, plan
from edgenn.bundle import Bundle
from edgenn.compiler import QuantizationOptions
from edgenn.data import Dataset
from edgenn.drift.explain import Explanation
from edgenn.drift.explain.explain import Study, explained, study
from edgenn.drift.explain.onnx_layers import explain_onnx
from edgenn.drift.explain.remedies import Reconvert, remedies
from edgenn.errors import EdgennError
from edgenn.importing import read_tflite_graph
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.manifest import Artifact
from edgenn.progress import Progress, silent
from edgenn.quantization.schemes import Scheme
from edgenn.stopwatch import Stopwatch
from edgenn.writing import written_files

if TYPE_CHECKING:
    from edgenn.reference import KerasTruth

SAMPLES: Final = 32
"""On which layers are compared, spread evenly over the data."""

WORDS: Final = {
    "--keep-float": "keep_float",
    "--only": "only",
    "--quantize": "quantize",
    "--calibrator": "calibrator",
    "--rnn-precision": "rnn_precision",
}
"""Options in which remedies are said → their names in a manifest."""
SEVERAL: Final = ("--keep-float", "--only", "--quantize")


@dataclass(frozen=True)
class Question:
    """What layers are asked for.

    Attributes:
        failed: Files that break the budget: remedies are looked for.
        measure: Switch layers to float, and convert again; else layers are only compared.
        calibration: What int8 ranges came from, where it is at hand.
    """

    bundle: Bundle
    samples: Dataset
    truth: "KerasTruth"
    failed: Collection[str] = ()
    measure: bool = False
    calibration: Dataset | None = None
    progress: Progress = silent


def explanations(asked: Question) -> tuple[tuple[Explanation, ...], list[str]]:
    """Layer by layer, the files of the bundle; and why one could not be.

    .onnx files only where that was asked for: they hold what the .tflite files hold.
    """
    ways = {"tflite": of_tflite, "onnx": of_onnx} if asked.measure else {"tflite": of_tflite}
    found: list[Explanation] = []
    notes: list[str] = []
    for artifact in asked.bundle.manifest.artifacts:
        if artifact.format not in ways or not artifact.scheme:
            continue
        try:
            found.append(ways[artifact.format](artifact, asked))
        except EdgennError as error:
            notes.append(f"the layers of {artifact.file} could not be compared: {error}")
    return tuple(found), notes


def of_onnx(artifact: Artifact, asked: Question) -> Explanation:
    explanation = explain_onnx(
        asked.bundle.file(artifact.file),
        asked.truth.graph(),
        asked.samples.inputs,
        factors=factors_of(artifact, asked.bundle),
        scheme=Scheme(artifact.scheme),
        samples=SAMPLES,
        progress=asked.progress,
    )
    return replace(explanation, artifact=artifact.file)


def of_tflite(artifact: Artifact, asked: Question) -> Explanation:
    """The layers of a .tflite file, with remedies where it fails."""
    path, scheme = asked.bundle.file(artifact.file), Scheme(artifact.scheme)
    found = study(
        read_tflite_graph(path),
        asked.truth.graph(),
        asked.samples.inputs,
        factors=factors_of(artifact, asked.bundle),
        scheme=scheme,
        samples=SAMPLES,
        progress=asked.progress,
    )
    explanation = explained(artifact.file, found, switch_off=asked.measure, progress=asked.progress)
    if not asked.measure or artifact.file not in asked.failed:
        return explanation
    return with_remedies(explanation, found, artifact, asked, path.read_bytes())


def with_remedies(
    explanation: Explanation, found: Study, artifact: Artifact, asked: Question, content: bytes
) -> Explanation:
    helpful = remedies(
        found,
        explanation,
        scheme=Scheme(artifact.scheme),
        content=content,
        reconvert=reconversion(artifact, asked),
        progress=asked.progress,
    )
    return replace(explanation, remedies=helpful)


def factors_of(artifact: Artifact, bundle: Bundle) -> Mapping[str, Array]:
    """What channels were divided by: only full-integer files are equalised."""
    return bundle.channel_factors() if Scheme(artifact.scheme).is_full_integer else {}


def reconversion(artifact: Artifact, asked: Question) -> Reconvert | None:
    """How the file is made again with other options; ``None`` where its data are not at hand.

    Files for targets and of single steps are not made again: what they need is more than options.
    """
    made = asked.bundle.manifest.options
    if asked.calibration is None or not made or made["targets"] or artifact.states:
        return None
    graph, samples = asked.truth.graph(), asked.calibration.inputs

    def reconvert(words: str) -> bytes | None:
        options = {**made, "quantize": [artifact.scheme], **options_of(words)}
        return converted(graph, samples, options, asked.progress)

    return reconvert


def options_of(words: str) -> dict[str, Any]:
    """``--keep-float a --calibrator mse`` as options of a manifest."""
    given: dict[str, Any] = {}
    tokens = shlex.split(words)
    for name, value in zip(tokens[::2], tokens[1::2], strict=True):
        given[WORDS[name]] = [value] if name in SEVERAL else value
    return given


def converted(
    graph: Graph, samples: Mapping[str, Array], options: Mapping[str, Any], progress: Progress
) -> bytes | None:
    """The .tflite file of such options, in memory; ``None`` where there is none.

    Args:
        options: As a manifest has them, with one scheme.
    """
    layers = plan.layer_precision(graph, options["keep_float"], options["only"])
    planned = plan.builds(
        graph,
        [Scheme(scheme) for scheme in options["quantize"]],
        ["tflite"],
        options["rnn"],
        options["rnn_precision"],
        options["batch"],
        layers,
    )
    how = QuantizationOptions(
        options["calibrator"],
        options["bias_correction"],
        options["equalization"],
        options["allow_float"],
    )
    seen = compiler.calibrations(graph, samples, planned, how, progress)
    files = written_files(graph, planned, seen, how, options["io"], Stopwatch(), progress)
    return files[0].content if files else None
