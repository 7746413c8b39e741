"""The weights of one output channel are zero."""

import numpy as np
from support import faults
from support.sabotage.fault import Random, Site, in_graph
from support.sabotage.places import layer_of, weighted

from edgenn.ir.graph import Graph


def sites(graph: Graph) -> list[Site]:
    return [
        Site((layer_of(op.output),), op.inputs[1], options={"channel": channel})
        for inside, op in weighted(graph)
        for channel in channels(inside.tensors[op.inputs[1]].data)
    ]


def channels(weights: np.ndarray) -> list[int]:
    """Those that are not zero anyway; the output's is the first axis of both kinds of weights."""
    flat = weights.reshape(len(weights), -1)
    return [int(channel) for channel in np.flatnonzero(np.any(flat != 0, axis=1))]


def inject(graph: Graph, site: Site, random: Random) -> Graph:
    def zero(data: np.ndarray) -> np.ndarray:
        data = data.copy()
        data[site.options["channel"]] = 0
        return data

    return faults.with_data(graph, site.tensor, zero)


FAULT = in_graph("weight channel zeroed", sites, inject)
