"""Rungs that fail although their file is right before: which layer their engine gets wrong."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from edgenn.bundle import Bundle
from edgenn.data import Dataset
from edgenn.drift.explain.bisect import first_wrong_layer
from edgenn.drift.report import Rung
from edgenn.errors import EdgennError
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Array
from edgenn.progress import Progress, silent
from edgenn.runners.target import Target

SAMPLES: Final = 8
"""The worst ones of a rung, on which its engine is compared with another."""


@dataclass(frozen=True)
class Suspect:
    """A rung that fails, and the nearest one before it on which the same file does not."""

    rung: Rung
    right: Rung


def blamed(
    rungs: Sequence[Rung],
    bundle: Bundle,
    data: Dataset,
    targets: Iterable[Target],
    *,
    float_graph: Graph | None = None,
    progress: Progress = silent,
) -> tuple[Rung, ...]:
    """The rungs; those whose engine is at fault say at which layer, among their findings.

    Args:
        targets: Of the rungs; their engines are started again.
        float_graph: Captured from the Keras model; it knows its layers' names best.
    """
    known = {target.name: target for target in targets}
    said: dict[tuple[str, str], str] = {}
    for suspect in suspects(rungs, bundle):
        key, path = key_of(suspect.rung), bundle.file(suspect.rung.artifact)
        inputs = bundle.ports_of(suspect.rung.artifact).given(worst_samples(suspect.rung, data))
        names = suspect.rung.target, suspect.right.target
        target, reference = (known[name] for name in names)
        try:
            found = first_wrong_layer(
                path, target, inputs, reference, float_graph=float_graph, progress=progress
            )
        except EdgennError as error:
            said[key] = f"which layer {names[0]} gets wrong is not known: {error}"
            continue
        said[key] = (
            f"the file is right on {names[1]}, and no layer alone shows what differs on {names[0]}"
            if found is None
            else found.sentence(*names)
        )
    return tuple(
        replace(rung, findings=(*rung.findings, said[key_of(rung)]))
        if key_of(rung) in said
        else rung
        for rung in rungs
    )


def key_of(rung: Rung) -> tuple[str, str]:
    return rung.artifact, rung.target


def suspects(rungs: Sequence[Rung], bundle: Bundle) -> Iterator[Suspect]:
    """Rungs of .tflite files that run whole sequences: those are read back and cut.

    A file that fails where it runs first is not right, whatever others make of it.
    """
    right: dict[str, Rung | None] = {}
    for rung in rungs:
        if not rung.artifact or rung.metrics is None:
            continue
        artifact = bundle.artifacts[rung.artifact]
        if artifact.format != "tflite" or artifact.states:
            continue
        before = right.setdefault(rung.artifact, None if rung.failed else rung)
        if before is None:
            continue
        if rung.failed:
            yield Suspect(rung, before)
        else:
            right[rung.artifact] = rung


def worst_samples(rung: Rung, data: Dataset) -> Mapping[str, Array]:
    """The samples that the rung is worst at; the first ones where it does not say."""
    worst = sorted({sample.index for sample in rung.worst[:SAMPLES]})
    rows = np.array(worst or range(min(SAMPLES, len(data))))
    return {name: np.asarray(array[rows]) for name, array in data.inputs.items()}
