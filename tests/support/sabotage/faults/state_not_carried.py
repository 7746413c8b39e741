"""A step does not get the state that the step before it left."""

import re
from dataclasses import replace

import numpy as np
from support.sabotage.fault import Random, Site, in_graph
from support.sabotage.places import layer_of, step_of

from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Mul, Reshape
from edgenn.ir.ops.scan import Scan
from edgenn.ir.stepping import step_of as step_info
from edgenn.ir.tensor import Tensor

LEFT = re.compile(r"/step_(\d+)/.*hidden$")
"""The state after a step of an unrolled layer."""


def sites(graph: Graph) -> list[Site]:
    loops = [op.outputs[0] for op in graph.ops if isinstance(op.operator, Scan)]
    copies = [name for op in graph.ops for name in op.outputs if LEFT.search(name)]
    info = step_info(graph)
    states = [] if info is None else [state.output for state in info.states]
    return [
        *(Site((layer_of(name),), name, step=1) for name in loops),
        *(Site((layer_of(name),), name, step=step_of(name) + 1) for name in copies),
        *(Site((layer_of(graph.outputs[name]),), name) for name in states),
    ]


def inject(graph: Graph, site: Site, random: Random) -> Graph:
    if site.step is None:
        return keep_old(graph, site.tensor)
    if LEFT.search(site.tensor):
        return begin_again(graph, site.tensor)
    ops = (forgetful(op) if site.tensor in op.outputs else op for op in graph.ops)
    return graph.with_(ops=tuple(ops))


def begin_again(graph: Graph, left: str) -> Graph:
    """What reads the state of one step reads the first state instead."""
    first = next(name for name in graph.tensors if re.fullmatch(r"gru/.*zeros", name))
    ops = (
        replace(op, inputs=tuple(first if n == left else n for n in op.inputs)) for op in graph.ops
    )
    return graph.with_(ops=tuple(ops))


def keep_old(graph: Graph, output: str) -> Graph:
    """The state that comes out is the one that went in."""
    (state,) = (state for state in step_info(graph).states if state.output == output)
    old = graph.tensors[graph.inputs[state.input]]
    name = f"{old.name}/kept"
    op = Op(name, Reshape(tuple(size or -1 for size in old.shape)), (old.name,), (name,))
    return graph.with_(
        ops=(*graph.ops, op),
        tensors={**graph.tensors, name: old.with_(name=name)},
        outputs={**graph.outputs, output: name},
    )


def forgetful(loop: Op) -> Op:
    """A loop whose cell computes with zeros in the place of its state."""
    cell = loop.operator.cell
    state = loop.operator.state_tensors[0]
    zero = Tensor.constant(f"{state.name}/zero", np.zeros((1, 1), state.dtype))
    name = f"{state.name}/forgotten"
    ops = (
        replace(op, inputs=tuple(name if n == state.name else n for n in op.inputs))
        for op in cell.ops
    )
    forget = Op(name, Mul(), (state.name, zero.name), (name,))
    tensors = {**cell.tensors, zero.name: zero, name: state.with_(name=name)}
    cell = cell.with_(ops=(forget, *ops), tensors=tensors)
    return replace(loop, operator=replace(loop.operator, cell=cell))


FAULT = in_graph("state not carried", sites, inject)
