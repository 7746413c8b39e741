"""The weights of a layer have a scale that is twice as large."""

from support import faults
from support.sabotage.fault import Random, Site, in_graph
from support.sabotage.places import in_cell_of, layer_of, weighted

from edgenn.ir.graph import Graph


def sites(graph: Graph) -> list[Site]:
    return [Site((layer_of(op.output),), op.output) for _, op in weighted(graph)]


def inject(graph: Graph, site: Site, random: Random) -> Graph:
    return in_cell_of(graph, site.tensor, lambda g: faults.scale_doubled(g, site.tensor))


FAULT = in_graph("scale doubled", sites, inject)
