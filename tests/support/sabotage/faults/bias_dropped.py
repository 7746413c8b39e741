"""A layer's bias is zero."""

import numpy as np
from support import faults
from support.sabotage.fault import Random, Site, in_graph
from support.sabotage.places import layer_of, weighted

from edgenn.ir.graph import Graph


def sites(graph: Graph) -> list[Site]:
    return [
        Site((layer_of(op.output),), op.inputs[2], words=("bias",))
        for inside, op in weighted(graph)
        if len(op.inputs) > 2 and np.any(inside.tensors[op.inputs[2]].data)
    ]


def inject(graph: Graph, site: Site, random: Random) -> Graph:
    return faults.with_data(graph, site.tensor, np.zeros_like)


FAULT = in_graph("bias dropped", sites, inject)
