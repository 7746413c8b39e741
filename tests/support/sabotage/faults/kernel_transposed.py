"""Weights in another order of axes, read as if they had the right one."""

import numpy as np
from support import faults
from support.sabotage.fault import Random, Site, in_graph
from support.sabotage.places import layer_of, weighted

from edgenn.ir.graph import Graph


def sites(graph: Graph) -> list[Site]:
    return [
        Site((layer_of(op.output),), op.inputs[1])
        for inside, op in weighted(graph)
        if not np.array_equal(
            turned(inside.tensors[op.inputs[1]].data), inside.tensors[op.inputs[1]].data
        )
    ]


def turned(data: np.ndarray) -> np.ndarray:
    """Height and width of a kernel change places, else inputs and outputs."""
    if data.ndim == 4 and data.shape[1] > 1:
        return np.ascontiguousarray(data.swapaxes(1, 2))
    return np.ascontiguousarray(data.reshape(len(data), -1).T).reshape(data.shape)


def inject(graph: Graph, site: Site, random: Random) -> Graph:
    return faults.with_data(graph, site.tensor, turned)


FAULT = in_graph("transposed kernel", sites, inject)
