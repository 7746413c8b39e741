"""A sequence begins with what another sequence left."""

import re
from dataclasses import replace

import numpy as np
from support.sabotage.fault import Random, Site, in_graph
from support.sabotage.places import layer_of

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Add
from edgenn.ir.ops.scan import Scan
from edgenn.ir.stepping import step_of, with_step
from edgenn.lowering.recurrent.first_states import zero_state

LARGEST = 0.8
"""What a state may be; a GRU's lies within -1 and 1."""


def sites(graph: Graph) -> list[Site]:
    loops = [op.outputs[0] for op in graph.ops if isinstance(op.operator, Scan)]
    zeros = [n for op in graph.ops for n in op.outputs if re.fullmatch(r"gru/(.*/)?zeros", n)]
    info = step_of(graph)
    states = [] if info is None else [state.input for state in info.states]
    return [
        *(Site((layer_of(name),), name, step=0) for name in (*loops, *zeros)),
        *(Site((layer_of(name),), name) for name in states),
    ]


def inject(graph: Graph, site: Site, random: Random) -> Graph:
    if site.tensor in graph.inputs:
        return begun(graph, site.tensor, random)
    op = graph.producers[site.tensor]
    if isinstance(op.operator, Scan):
        return loop_begun(graph, op.outputs[0], random)
    return copies_begun(graph, site.tensor, random)


def left(units: int, random: Random) -> np.ndarray:
    return random.uniform(-LARGEST, LARGEST, (1, units)).astype(np.float32)


def begun(graph: Graph, public: str, random: Random) -> Graph:
    """A file of one step that says another first state."""
    units = graph.tensors[graph.inputs[public]].shape[-1]
    info = step_of(graph)
    states = tuple(
        replace(state, initial=tuple(map(float, left(units, random).ravel())))
        if state.input == public
        else state
        for state in info.states
    )
    return with_step(graph, replace(info, states=states))


def loop_begun(graph: Graph, output: str, random: Random) -> Graph:
    loop = graph.producers[output]
    state = loop.operator.state_tensors[0]
    builder = GraphBuilder.from_graph(graph)
    zeros = zero_state(builder, loop.inputs, state, f"{layer_of(output)}/sequence/zeros")
    constant = builder.constant(f"{state.name}/left", left(state.shape[-1], random))
    first = builder.add(Add(), [zeros, constant], f"{state.name}/first")
    new = replace(
        loop,
        operator=replace(loop.operator, zero_state=False),
        inputs=(*loop.inputs, first),
    )
    ops = [e for op in graph.ops for e in ((*builder.ops, new) if output in op.outputs else (op,))]
    return graph.with_(ops=tuple(ops), tensors=builder.tensors)


def copies_begun(graph: Graph, zeros: str, random: Random) -> Graph:
    """The unrolled copies read other numbers than zeros."""
    tensor = graph.tensors[zeros]
    # the grid of the states, on which zeros have one of their own
    hidden = next(graph.tensors[n] for op in graph.ops for n in op.outputs if n.endswith("/hidden"))
    numbers = left(tensor.shape[-1], random)
    builder = GraphBuilder.from_graph(graph)
    quantization = hidden.quantization
    if quantization is not None:
        numbers = quantization.quantize(numbers, hidden.dtype)
    constant = builder.constant(f"{zeros}/left", numbers, quantization)
    first = builder.add(Add(), [zeros, constant], f"{zeros}/first")
    made = builder.tensors[first].with_(quantization=quantization)
    ops = []
    for op in graph.ops:
        inputs = tuple(first if n == zeros else n for n in op.inputs)
        ops.append(replace(op, inputs=inputs))
        if zeros in op.outputs:
            ops.extend(builder.ops)
    return graph.with_(ops=tuple(ops), tensors={**builder.tensors, first: made})


FAULT = in_graph("state not reset", sites, inject)
