"""Writes pooling over a whole image as a mean."""

from edgenn.ir.graph import Op
from edgenn.ir.operator import Activation
from edgenn.ir.ops import AveragePool2D, Mean
from edgenn.passes.base import Pass
from edgenn.passes.rewriter import Rewriter


class GlobalPooling(Pass):
    """Turns average pooling into means.

    Rules:

    1. average_pool_2d whose only window is the whole image becomes mean over height and width.
       The numbers are the same in float. In integers a mean has a scale of its own, whereas
       pooling keeps its input's, which is several times too wide for what averages are.
    """

    name = "global_pooling"

    def rewrite(self, op: Op, graph: Rewriter) -> None:
        pool = op.operator
        if not isinstance(pool, AveragePool2D) or pool.activation is not Activation.NONE:
            return
        # a window of the image's size covers all of it wherever padding puts it: with SAME and
        # one output position nothing is padded
        single = graph.tensors[op.output].shape[1:3] == (1, 1)
        if single and graph.tensors[op.inputs[0]].shape[1:3] == pool.size:
            graph.replace(op, graph.make(Mean((1, 2), keep_dims=True), op.inputs, op.output))
