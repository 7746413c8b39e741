"""Where things are in the graph of a file, in its loops, too; and how they are exchanged."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops import Conv2D, FullyConnected
from edgenn.ir.ops.scan import Scan

GATES = ("update", "reset", "candidate")
"""Of a GRU, in Keras's order."""


def layer_of(name: str) -> str:
    """No layer of the models here lies within another one."""
    return name.split("/")[0]


def all_ops(graph: Graph) -> Iterator[tuple[Graph, Op]]:
    """Every op with the graph that it is in."""
    for op in graph.ops:
        yield graph, op
        if isinstance(op.operator, Scan):
            yield from all_ops(op.operator.cell)


def weighted(graph: Graph) -> list[tuple[Graph, Op]]:
    """Ops with constant weights, each weight once: copies of a cell share theirs."""
    found = {
        op.inputs[1]: (inside, op)
        for inside, op in reversed(list(all_ops(graph)))
        if isinstance(op.operator, Conv2D | FullyConnected)
        and inside.tensors[op.inputs[1]].is_constant
    }
    return list(reversed(found.values()))


def is_recurrent(constant: str) -> bool:
    return constant.startswith("gru/")


def in_cell_of(graph: Graph, output: str, change: Callable[[Graph], Graph]) -> Graph:
    """Changes the innermost graph that makes a tensor."""
    if any(output in op.outputs for op in graph.ops):
        return change(graph)
    ops = [
        replace(
            op, operator=replace(op.operator, cell=in_cell_of(op.operator.cell, output, change))
        )
        if isinstance(op.operator, Scan)
        else op
        for op in graph.ops
    ]
    return graph.with_(ops=tuple(ops))


def with_op(graph: Graph, output: str, change: Callable[[Op], Op]) -> Graph:
    """The graph with another op in the place of the one that makes a tensor."""

    def changed(inside: Graph) -> Graph:
        ops = (change(op) if output in op.outputs else op for op in inside.ops)
        return inside.with_(ops=tuple(ops))

    return in_cell_of(graph, output, changed)


def step_of(name: str) -> int | None:
    """The step of a copy of an unrolled cell."""
    found = re.search(r"/step_(\d+)/", name)
    return None if found is None else int(found[1])
