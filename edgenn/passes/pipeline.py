"""All passes, in order, until nothing changes."""

from dataclasses import replace
from operator import is_

from edgenn.ir.graph import Graph
from edgenn.ir.layers import with_origins
from edgenn.ir.ops.scan import Scan
from edgenn.passes.base import Pass
from edgenn.passes.fold_affine import FoldAffine
from edgenn.passes.fold_constants import FoldConstants
from edgenn.passes.fold_padding import FoldPadding
from edgenn.passes.fuse_activations import FuseActivations
from edgenn.passes.fuse_bias import FuseBias
from edgenn.passes.fuse_hard_swish import FuseHardSwish
from edgenn.passes.fuse_reduction_shapes import FuseReductionShapes
from edgenn.passes.global_pooling import GlobalPooling
from edgenn.passes.move_reshapes import MoveReshapes
from edgenn.passes.remove_identities import RemoveIdentities

PASSES: tuple[Pass, ...] = (
    FoldConstants(),
    FuseHardSwish(),  # before affine ops merge and hide its pattern
    MoveReshapes(),
    RemoveIdentities(),
    GlobalPooling(),
    FuseReductionShapes(),
    FoldPadding(),
    FoldAffine(),
    FuseBias(),
    FuseActivations(),
)

MAX_ROUNDS = 10
"""Every rule shortens the graph or moves something down, so rounds end by themselves; the
bound turns a rule that breaks this into a slow conversion instead of an endless one."""


def simplify(graph: Graph) -> Graph:
    """The graph after all passes, repeated until none of them applies.

    For float graphs, before quantisation. It computes the same up to float32 rounding; the
    same object comes back where there is nothing to simplify. Cells of loops are graphs, too.
    The graph says which ops each of its own was made of.
    """
    simple = without_detours(graph)
    return graph if simple is graph else with_origins(simple, graph)


def without_detours(graph: Graph) -> Graph:
    """The graph after all passes; the same object where none of them applies."""
    graph = with_simple_cells(graph)
    for _ in range(MAX_ROUNDS):
        before = graph
        for run in PASSES:
            graph = run(graph)
        if graph is before:
            break
    return graph


def with_simple_cells(graph: Graph) -> Graph:
    """The graph with simplified cells in its loops; the same object if they are simple."""
    ops = list(graph.ops)
    for i, op in enumerate(ops):
        if isinstance(op.operator, Scan):
            cell = without_detours(op.operator.cell)
            if cell is not op.operator.cell:
                ops[i] = replace(op, operator=replace(op.operator, cell=cell))
    return graph if all(map(is_, ops, graph.ops)) else graph.with_(ops=tuple(ops))
