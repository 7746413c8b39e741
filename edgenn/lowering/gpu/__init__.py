"""Graphs in ops that LiteRT's GPU runtime computes, and computes as LiteRT's reference kernels do.

The last thing that is done to a graph, once its recurrent layers have their form. Integers stay
what they are but for rule 1, where a function is rounded twice instead of once.

What the GPU runtime refuses:

1. A function of int8 looked up in a table (GATHER with indices of several dimensions; with one,
   it takes the real values for indices). It becomes its float steps, between DEQUANTIZE and
   QUANTIZE: the GPU computes integers in float anyway.
2. The log-softmax. It becomes ``d - log(sum(exp(d)))``, ``d = x - max(x)``.
3. Padding of fewer than three dimensions. Others are put in front.
4. Steps of a mask, STRIDED_SLICE of bool. They are gathered.
5. Rows of a table of float16 or int16. They are taken from a table of float32.
6. A dense layer of zeros, such as the first state of a recurrent layer. What is left is its bias.

What it takes, and gets wrong or dies of (ai-edge-litert 2.3.0):

7. A 1 × 1 convolution with int8 weights is computed without its stride. Its input is thinned out
   before.
8. Groups of a convolution that are not multiples of four channels, nor single ones. Each group
   becomes a convolution.
9. Outputs of a SPLIT that nobody reads. Those that are read become slices.
10. The same tensor twice in one op. The second one becomes a copy.
11. REVERSE_V2 and ARG_MAX over channels that are no multiple of four. Channels are gathered in
    their new order; the maximum is looked for along another dimension.
"""

from collections.abc import Mapping

from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Operator
from edgenn.lowering.gpu.defects import arg_max, convolution, copies, reverse, split
from edgenn.lowering.gpu.refused import (
    dense,
    dequantize,
    function,
    gather,
    log_softmax,
    padding,
    slice_of_mask,
)
from edgenn.lowering.gpu.writer import Rule, Writer


def for_gpu(graph: Graph) -> Graph:
    """The graph rewritten; loops stay as they are, for the GPU has none."""
    builder = GraphBuilder.from_graph(graph)
    read = frozenset(name for op in graph.ops for name in op.inputs)
    writer = Writer(builder, read.union(graph.outputs.values()), graph.producers)
    for op in graph.ops:
        rule = RULES.get(type(op.operator))
        if rule is None or not rule(op, writer):
            builder.ops.append(op)
    return builder.finish(graph.outputs)


RULES: Mapping[type[Operator], Rule] = {
    ops.ElementwiseFunction: function,
    ops.LogSoftmax: log_softmax,
    ops.Dequantize: dequantize,
    ops.Gather: gather,
    ops.FullyConnected: dense,
    ops.Pad: padding,
    ops.MirrorPad: padding,
    ops.StridedSlice: slice_of_mask,
    ops.Conv2D: convolution,
    ops.Split: split,
    ops.Reverse: reverse,
    ops.ArgMax: arg_max,
    **dict.fromkeys(
        (
            ops.BatchMatMul,
            ops.Div,
            ops.Equal,
            ops.FloorDiv,
            ops.FloorMod,
            ops.Greater,
            ops.GreaterEqual,
            ops.Less,
            ops.LessEqual,
            ops.Maximum,
            ops.Minimum,
            ops.NotEqual,
            ops.Pack,
            ops.Pow,
            ops.SquaredDifference,
            ops.Sub,
        ),
        copies,
    ),
}
