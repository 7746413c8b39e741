"""Makes an addition of a constant vector the bias of the op before it."""

import numpy as np

from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.passes.affine import composed, steps_after
from edgenn.passes.base import Pass
from edgenn.passes.rewriter import Rewriter
from edgenn.passes.weights import Weighted, bias_of, has_constant_weights, rebuilt


class FuseBias(Pass):
    """Fuses additions of constants.

    Rules:

    1. Weights, then additions of scalar or per-channel constants → weights with a bias.
    """

    name = "fuse_bias"

    def rewrite(self, op: Op, graph: Rewriter) -> None:
        if not has_constant_weights(op, graph):
            return
        assert isinstance(op.operator, Weighted)
        if op.operator.activation is not Activation.NONE:
            return
        steps = steps_after(op.output, graph)
        while steps and composed(steps).scales:
            steps.pop()
        if not steps:
            return
        last = steps[-1]
        fused = rebuilt(
            op,
            graph,
            bias=np.asarray(bias_of(op, graph) + composed(steps).offset),
            activation=last.activation,
            output=last.op.output,
        )
        graph.replace(last.op, fused)
