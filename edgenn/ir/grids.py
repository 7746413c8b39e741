"""Grids that float tensors may be rounded to on their way into an int8 product.

Kept in ``Graph.metadata`` from quantisation, which knows the ranges, to whoever writes products.
"""

from collections.abc import Mapping
from typing import Final

from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Quantization

GRIDS: Final = "grids"


def with_grids(graph: Graph, grids: Mapping[str, Quantization]) -> Graph:
    """The graph that says which float tensors deserve a product in two parts, and on which grid."""
    return graph.with_(metadata={**graph.metadata, GRIDS: dict(grids)})


def grids_of(graph: Graph) -> Mapping[str, Quantization]:
    """Float tensor → int8 grid of the larger part."""
    found: Mapping[str, Quantization] = graph.metadata.get(GRIDS, {})
    return found
