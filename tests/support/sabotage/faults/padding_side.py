"""All padding is before the picture, none behind it."""

from support import faults
from support.sabotage.fault import Random, Site, in_graph
from support.sabotage.places import layer_of, weighted

from edgenn.ir.graph import Graph
from edgenn.ir.operator import Padding
from edgenn.ir.ops import Conv2D


def sites(graph: Graph) -> list[Site]:
    return [
        Site((layer_of(op.output),), op.output, words=("padding",))
        for inside, op in weighted(graph)
        if isinstance(op.operator, Conv2D)
        and op.operator.padding is Padding.SAME
        and max(inside.tensors[op.inputs[1]].shape[1:3]) > 1
    ]


def inject(graph: Graph, site: Site, random: Random) -> Graph:
    return faults.padding_shifted(graph, site.tensor)


FAULT = in_graph("wrong padding side", sites, inject)
