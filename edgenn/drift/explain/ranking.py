"""Which layers are at fault, the most suspicious first."""

from collections.abc import Mapping, Sequence

from edgenn.drift.explain.excess import LIMIT, OF_ARITHMETIC, OF_RANGES
from edgenn.drift.explain.matching import Match, read_by
from edgenn.drift.explain.names import layers_of
from edgenn.ir.graph import Graph

Statistics = Mapping[str, float]


def ranked(
    layers: Sequence[str],
    statistics: Mapping[str, Statistics],
    read: Mapping[str, frozenset[str]],
) -> list[str]:
    """The layers at fault, by their excess.

    A layer with an op that computes wrongly what it was given is there before those that read it:
    their own error is what they were given. Ranges that do not fit come last, in the model's
    order: data that calibration has not seen show first where they come in, then everywhere.

    Args:
        layers: In the model's order.
        statistics: Layer → its excess, in every way of looking at it.
        read: Layer → the layers that it reads.
    """
    excess = {layer: max(statistics[layer].values(), default=0.0) for layer in layers}
    guilty = [layer for layer in layers if excess[layer] > LIMIT]
    ranges = [layer for layer in guilty if main(statistics[layer]) in OF_RANGES]
    others = [layer for layer in guilty if layer not in ranges]
    wrong = {layer for layer in others if computes_wrongly(statistics[layer])}

    def suspicion(layer: str) -> tuple[float, bool]:
        victims = (other for other in others if layer in read.get(other, ()) and other not in wrong)
        of_victims = max((excess[other] for other in victims), default=0.0)
        return max(excess[layer], of_victims if layer in wrong else 0.0), layer in wrong

    return sorted(others, key=suspicion, reverse=True) + ranges


def main(statistics: Statistics) -> str:
    """The way of looking at a layer in which it is worst."""
    return max(statistics, key=lambda name: statistics[name])


def computes_wrongly(statistics: Statistics) -> bool:
    return any(statistics.get(name, 0.0) > LIMIT for name in OF_ARITHMETIC)


def read_layers(reference: Graph, artifact: Graph, found: Match) -> dict[str, frozenset[str]]:
    """Layer → the layers whose tensors it is made of in the artifact."""
    owner = layers_of(reference)
    read: dict[str, set[str]] = {}
    for ours, theirs in found.actual.items():
        sources = read_by(artifact, theirs, found.meaning)
        read.setdefault(owner[ours], set()).update(owner[source] for source in sources)
    return {layer: frozenset(sources - {layer}) for layer, sources in read.items()}
