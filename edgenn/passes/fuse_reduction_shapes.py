"""Lets reductions take in the reshapes around them.

Squeeze-and-excite blocks pool to a vector and reshape it to a 1×1 image; a 1-D network squeezes
its height away before it pools over time. A reduction does both by itself.
"""

from dataclasses import replace

from edgenn.ir.graph import Op
from edgenn.ir.ops.reduction import Reduction, normalized
from edgenn.passes.base import Pass
from edgenn.passes.reshapes import RESHAPES, kept_dimensions, reshape_before
from edgenn.passes.rewriter import Rewriter


class FuseReductionShapes(Pass):
    """Fuses reshapes into mean, sum and the other reductions.

    Rules:

    1. A reduction, then a reshape to or from the shape that keeps the reduced dimensions → the
       reduction with the other ``keep_dims``.
    2. A reshape that only drops dimensions of size 1, then a reduction without ``keep_dims`` →
       the reduction over the dropped dimensions too.
    """

    name = "fuse_reduction_shapes"

    def rewrite(self, op: Op, graph: Rewriter) -> None:
        if isinstance(op.operator, RESHAPES):
            toggle_keep_dims(op, graph)
        elif isinstance(op.operator, Reduction) and not op.operator.keep_dims:
            reduce_dropped(op, op.operator, graph)


def toggle_keep_dims(op: Op, graph: Rewriter) -> None:
    """Rule 1."""
    inner = graph.producer(op.inputs[0])
    if inner is None or not isinstance(inner.operator, Reduction):
        return
    if not graph.is_single_use(inner.output):
        return
    toggled = replace(inner.operator, keep_dims=not inner.operator.keep_dims)
    shape = toggled.reduced_shape(graph.tensors[inner.inputs[0]].shape)
    if shape == graph.tensors[op.output].shape and shape.count(None) <= 1:
        graph.replace(op, graph.make(toggled, inner.inputs, op.output))


def reduce_dropped(op: Op, reduction: Reduction, graph: Rewriter) -> None:
    """Rule 2."""
    inner = reshape_before(op.inputs[0], graph)
    if inner is None:
        return
    before = graph.tensors[inner.inputs[0]].shape
    after = graph.tensors[inner.output].shape
    kept = kept_dimensions(before, after)
    if kept is None:
        return
    axes = {kept[normalized(axis, len(after))] for axis in reduction.axes}
    axes.update(axis for axis in range(len(before)) if axis not in kept)
    wider = replace(reduction, axes=tuple(sorted(axes)))
    graph.replace(op, graph.make(wider, inner.inputs, op.output))
    graph.hand_on_name(inner.output, inner.inputs[0])
