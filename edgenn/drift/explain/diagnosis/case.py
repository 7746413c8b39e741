"""A layer under suspicion, as the causes see it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgenn.drift.explain.constants import Pair
from edgenn.drift.explain.excess import Layer
from edgenn.drift.explain.matching import Match
from edgenn.drift.explain.names import layers_of
from edgenn.drift.explain.twin import Rounder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops.recurrent import Gru, Lstm, Recurrent

GATES: Mapping[type[Recurrent], tuple[str, ...]] = {
    Gru: ("update", "reset", "candidate"),
    Lstm: ("input", "forget", "candidate", "output"),
}
"""In Keras's order."""


@dataclass(frozen=True)
class Case:
    """One layer, and where it stands.

    Attributes:
        layer: Its sums and constants.
        statistics: Its excess, in every way of looking at it.
        source: The float graph as Keras has it.
        reference: The float graph in the form of the artifact.
        clipped: How many layers of the model lose values at the ends of their grids.
    """

    layer: Layer
    statistics: Mapping[str, float]
    source: Graph
    reference: Graph
    artifact: Graph
    found: Match
    clipped: int = 0

    def weights(self) -> list[Pair]:
        return [pair for pair in self.layer.constants if not pair.is_bias]

    def biases(self) -> list[Pair]:
        return [pair for pair in self.layer.constants if pair.is_bias]

    def ops(self) -> Iterator[tuple[Op, Op]]:
        """The layer's ops in the float graph, each with the artifact's op in its place."""
        rounder = Rounder(self.reference, self.artifact, self.found)
        owner = layers_of(self.reference)
        for op in self.reference.ops:
            if owner[op.outputs[0]] == self.layer.name:
                theirs = rounder.same_op(op)
                if theirs is not None:
                    yield op, theirs

    def gates_of(self, pair: Pair) -> tuple[str, ...]:
        """The gates whose rows a recurrent layer's constant holds, one block of rows each."""
        for op in self.source.ops:
            if isinstance(op.operator, Recurrent) and pair.name in op.inputs:
                return GATES.get(type(op.operator), ())
        return ()
