"""Two gates of a recurrent layer have changed places: in its weights or in its cell."""

from itertools import combinations

from support import faults
from support.sabotage.fault import Random, Site, in_graph
from support.sabotage.places import GATES, is_recurrent, layer_of, weighted

from edgenn.ir.graph import Graph


def sites(graph: Graph) -> list[Site]:
    return [
        Site(
            (layer_of(op.output),),
            op.inputs[1],
            gates=(GATES[first], GATES[second]),
            options={"first": first, "second": second},
        )
        for _, op in weighted(graph)
        if is_recurrent(op.inputs[1])
        for first, second in combinations(range(len(GATES)), 2)
    ]


def inject(graph: Graph, site: Site, random: Random) -> Graph:
    first, second = site.options["first"], site.options["second"]
    return faults.gates_swapped(graph, site.tensor, len(GATES), first, second)


FAULT = in_graph("swapped gate order", sites, inject)
