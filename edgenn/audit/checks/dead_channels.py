"""Channels behind a ReLU that are 0 whatever sample comes."""

from collections.abc import Iterator

import numpy as np

from edgenn.audit.evidence import Evidence, check
from edgenn.audit.report import Finding
from edgenn.audit.words import listed
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Activation

FROM_ZERO = frozenset({Activation.RELU, Activation.RELU6})


def rectified(graph: Graph) -> list[str]:
    """Tensors that a ReLU makes, or an op with a fused one."""
    return [
        op.output
        for op in graph.ops
        if len(op.outputs) == 1
        and (getattr(op.operator, "activation", None) or getattr(op.operator, "bound", None))
        in FROM_ZERO
    ]


@check("dead channels")
def dead_channels(evidence: Evidence) -> Iterator[Finding]:
    if evidence.tensors is None:
        return
    dead = {}
    for name in evidence.tensors.halves[0]:
        halves = [half[name].magnitudes for half in evidence.tensors.halves]
        if all(len(half) for half in halves):
            dead[name] = np.logical_and.reduce([half == 0 for half in halves])
    whole = [name for name, channels in dead.items() if channels.all()]
    if whole:
        yield Finding(
            "dead channels",
            "warning",
            f"all that {listed(whole)} gives is 0 for every calibration sample",
            "check the scaling of the calibration data; else the layer does nothing",
            tensors=tuple(whole),
        )
    part = {name: c.sum() for name, c in dead.items() if c.any() and not c.all()}
    if part:
        worst = sorted(part, key=lambda name: -part[name] / len(dead[name]))
        total = sum(len(channels) for channels in dead.values())
        yield Finding(
            "dead channels",
            "note",
            f"{sum(part.values())} of {total} channels behind a ReLU are 0 for every calibration"
            f" sample: {listed(f'{name} ({part[name]} of {len(dead[name])})' for name in worst)}",
            "they cost time and do nothing, unless other samples wake them up",
            tensors=tuple(worst),
            share=float(sum(part.values()) / total),
        )
