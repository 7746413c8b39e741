"""A layer's values are read with a zero point that is one more than the one they have."""

from support import faults
from support.sabotage.fault import Random, Site, in_graph
from support.sabotage.places import layer_of

from edgenn.ir.graph import Graph
from edgenn.ir.ops.moving import Mover


def sites(graph: Graph) -> list[Site]:
    """Tensors of 8 bits, as 16 bits have no zero point.

    Not those that an op reads which copies integers onto a grid of its own: it undoes the fault.
    """
    names = [name for op in graph.ops for name in op.outputs]
    return [
        Site((layer_of(name),), name)
        for name in names
        if graph.tensors[name].dtype == "int8"
        and graph.tensors[name].quantization is not None
        and graph.tensors[name].quantization.zero_point[0] < 127
        and not any(isinstance(op.operator, Mover) for op in graph.consumers[name])
    ]


def inject(graph: Graph, site: Site, random: Random) -> Graph:
    moved = faults.zero_point_moved(graph, site.tensor)
    outputs = {
        public: f"{name}/moved" if name == site.tensor else name
        for public, name in graph.outputs.items()
    }
    return moved.with_(outputs=outputs)


FAULT = in_graph("zero point off by one", sites, inject)
