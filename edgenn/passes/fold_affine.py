"""Moves per-channel multiplications and additions into neighbouring weights.

This is batch-norm folding: inference-time batch normalisation is a multiplication and an
addition of constants (Jacob et al. 2017, arXiv 1712.05877, section 3.2).
"""

import numpy as np

from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation, Padding
from edgenn.ir.ops import Add, Conv2D, DepthwiseConv2D, Div, FullyConnected, Mul, Neg
from edgenn.passes.affine import (
    Affine,
    AffineStep,
    affine_step,
    composed,
    steps_after,
)
from edgenn.passes.base import Pass
from edgenn.passes.rewriter import Rewriter
from edgenn.passes.weights import (
    Weighted,
    bias_of,
    has_constant_weights,
    rebuilt,
    scaled_outputs,
    with_input_map,
)


class FoldAffine(Pass):
    """Folds affine ops: add, sub, mul or div with a scalar or per-channel constant, and neg.

    Rules:

    1. Weights, then affine ops of which one scales → the weights alone. (A mere addition is
       ``fuse_bias``'s, which leaves the kernel as it is.)
    2. Affine ops, then weights → the weights alone, where no padding sees the offset:
       fully connected and VALID convolutions; scales alone fold into every kind.
    3. Affine ops in a row become at most one mul and one add.
    4. A div or neg alone becomes a mul, which TFLite also has in integers.

    Products are computed in float64 and rounded once to float32.
    """

    name = "fold_affine"

    def rewrite(self, op: Op, graph: Rewriter) -> None:
        if has_constant_weights(op, graph):
            # the op that rule 1 makes stands further down, where the sweep meets it again
            if not fold_after(op, graph):
                fold_before(op, graph)
        else:
            merge_steps(op, graph)


def fold_after(op: Op, graph: Rewriter) -> bool:
    """Rule 1; says whether it applied."""
    assert isinstance(op.operator, Weighted)
    if op.operator.activation is not Activation.NONE:
        return False
    steps = steps_after(op.output, graph)
    total = composed(steps)
    kernel = graph.value(op.inputs[1])
    if not total.scales or kernel is None:
        return False
    last = steps[-1]
    folded = rebuilt(
        op,
        graph,
        kernel=scaled_outputs(op, kernel, total.scale),
        bias=np.asarray(bias_of(op, graph) * total.scale + total.offset),
        activation=last.activation,
        output=last.op.output,
    )
    graph.replace(last.op, folded)
    return True


def fold_before(op: Op, graph: Rewriter) -> None:
    """Rule 2."""
    total = Affine.identity()
    source = op.inputs[0]
    while (step := step_before(source, graph)) is not None:
        longer = step.map.then(total)
        if longer.shifts and not takes_offset(op):
            break
        total, source = longer, step.source
    if source == op.inputs[0]:
        return
    kernel, bias = with_input_map(op, graph, total)
    graph.replace(op, rebuilt(op, graph, kernel=kernel, bias=bias, source=source))


def takes_offset(op: Op) -> bool:
    """Whether every output sums over all taps, so that a shifted input shifts it evenly."""
    match op.operator:
        case FullyConnected():
            return True
        case Conv2D(padding=padding) | DepthwiseConv2D(padding=padding):
            return padding is Padding.VALID
    return False


def step_before(name: str, graph: Rewriter) -> AffineStep | None:
    """The affine op that makes a tensor nobody else reads, unless it clamps."""
    producer = graph.producer(name)
    if producer is None or not graph.is_single_use(name):
        return None
    step = affine_step(producer, graph)
    return step if step is not None and step.activation is Activation.NONE else None


def merge_steps(op: Op, graph: Rewriter) -> None:
    """Rules 3 and 4, for the chain that ends in ``op``."""
    last = affine_step(op, graph)
    if last is None:
        return
    steps = [last]
    while (step := step_before(steps[0].source, graph)) is not None:
        steps.insert(0, step)
    total = composed(steps)
    shorter = len(steps) > max(1, total.scales + total.shifts)
    if not shorter and not (isinstance(op.operator, Div | Neg) and total.scales):
        return
    source, output = steps[0].source, op.output
    new: list[Op] = []
    if total.scales:
        scale = graph.constant(f"{output}/scale", total.scale.astype(np.float32))
        activation = Activation.NONE if total.shifts else last.activation
        name = graph.unique(f"{output}/scaled") if total.shifts else output
        new.append(graph.make(Mul(activation), [source, scale], name))
        source = name
    if total.shifts or not total.scales:
        offset = graph.constant(f"{output}/offset", total.offset.astype(np.float32))
        new.append(graph.make(Add(last.activation), [source, offset], output))
    graph.replace(op, *new)
