"""Layers that are to compute in another precision than the rest of a quantised file.

Marks in ``Graph.metadata``, set on the simplified graph and read wherever ops are rewritten: what
an op becomes is named after it, so that the nearest name with a mark says what it is to be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgenn.ir.flat_loops import inside
from edgenn.ir.graph import Graph, Op
from edgenn.ir.layers import ops_of_layer, prefixes
from edgenn.ir.ops import Recurrent, Scan

PRECISION: Final = "precision"
"""Key of ``Graph.metadata``: output of an op → ``float32``, ``int16``, or empty."""
KEPT: Final = "float32"
WIDE: Final = "int16"


@dataclass(frozen=True)
class LayerPrecision:
    """Paths of Keras layers whose precision is another than that of the file's other layers.

    Attributes:
        kept: They stay in float32, weights and computation.
        wide: They compute with activations of 16 bits and weights of 8.
        wide_gates: Whether recurrent layers among the wide ones do so inside, too.
    """

    kept: tuple[str, ...] = ()
    wide: tuple[str, ...] = ()
    wide_gates: bool = True

    @property
    def is_mixed(self) -> bool:
        return bool(self.kept or self.wide)


ONE_PRECISION: Final = LayerPrecision()


def with_precision(graph: Graph, layers: LayerPrecision) -> Graph:
    """The graph with marks; the same object if all layers have one precision."""
    if not layers.is_mixed:
        return graph
    kept, wide = ops_of_layers(graph, layers.kept), ops_of_layers(graph, layers.wide)
    if not layers.wide_gates:
        wide -= {op.name for op in graph.ops if isinstance(op.operator, Recurrent | Scan)}
    marks: dict[str, str] = {}
    for op in graph.ops:
        mark = KEPT if op.name in kept else WIDE if op.name in wide else ""
        marks.update(dict.fromkeys(op.outputs, mark))
    return graph.with_(metadata={**graph.metadata, PRECISION: marks})


def ops_of_layers(graph: Graph, layers: tuple[str, ...]) -> frozenset[str]:
    """Names of the ops of several layers."""
    return frozenset().union(*(ops_of_layer(graph, layer) for layer in layers))


def mark_of(graph: Graph, name: str) -> str:
    """The precision that was asked for an op or tensor of this name; mostly empty."""
    marks: Mapping[str, str] = graph.metadata.get(PRECISION, {})
    return next((marks[own] for own in prefixes(name) if own in marks), "") if marks else ""


def is_kept(graph: Graph, op: Op) -> bool:
    """Whether an op stays in float, weights included; for graphs whose loops are closed."""
    return mark_of(graph, op.name) == KEPT


def ops_in(graph: Graph, precision: str) -> frozenset[str]:
    """Names of the ops with a mark; those of a loop that is laid flat have the loop's."""
    if PRECISION not in graph.metadata:
        return frozenset()
    loops = inside(graph)
    return frozenset(
        op.name for op in graph.ops if mark_of(graph, loops.get(op.name, op.name)) == precision
    )
