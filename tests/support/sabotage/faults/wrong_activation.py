"""Another function where an activation stands, or one where there is none."""

from dataclasses import replace

from support.sabotage.fault import Random, Site, in_graph
from support.sabotage.places import all_ops, layer_of, with_op

from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import Add, Conv2D, Logistic, Softmax, Tanh

OTHER = {Tanh: Logistic(), Logistic: Tanh(), Softmax: Logistic()}
"""Have the same grid in int16 and in int8, where a grid is prescribed."""
GATE_OF = {"update_gate": "update", "reset_gate": "reset", "candidate": "candidate"}


def sites(graph: Graph) -> list[Site]:
    return [site_of(op) for inside, op in all_ops(graph) if changes(inside, op)]


def site_of(op: Op) -> Site:
    gates = tuple(gate for part, gate in GATE_OF.items() if part in op.output.split("/"))
    return Site((layer_of(op.output),), op.output, gates=gates)


def changes(graph: Graph, op: Op) -> bool:
    """In integers the end of the grid is a ReLU already; a tanh in int8 has another grid."""
    if isinstance(op.operator, Conv2D | Add) and layer_of(op.output) != "gru":
        grid = graph.tensors[op.output].quantization
        return grid is None or (
            grid.zero_point[0] > -128 and op.operator.activation is Activation.NONE
        )
    if type(op.operator) not in OTHER:
        return False
    return isinstance(op.operator, Softmax) or graph.tensors[op.output].dtype != "int8"


def inject(graph: Graph, site: Site, random: Random) -> Graph:
    return with_op(graph, site.tensor, changed)


def changed(op: Op) -> Op:
    other = OTHER.get(type(op.operator))
    if other is None:
        has_none = op.operator.activation is Activation.NONE
        activation = Activation.RELU if has_none else Activation.NONE
        other = replace(op.operator, activation=activation)
    return replace(op, operator=other)


FAULT = in_graph("wrong activation", sites, inject)
