"""Integer graphs in ops that an Ethos-U computes well: those of TFLite Micro, and these.

1. LOGISTIC and TANH of 16 bits read a number no larger than where they end. An Ethos-U, as TOSA
   has it, interpolates them between 513 entries spread over all that the input can say: where that
   is ±40, the entries are 0.16 apart and tanh is off by up to 0.002. The sum in front clips what
   is beyond, or a QUANTIZE where others read it, too. LiteRT's own table is of another kind: its
   numbers change by rounding alone.
2. The mean over the channels of an image is taken of its pixels as rows: Vela has no other.

Source: the TOSA specification, operator TABLE; ``vela --supported-ops-report``, MEAN.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from math import prod

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops import Add, Logistic, Mean, Quantize, Reshape, Tanh
from edgenn.ir.tensor import INTEGER_RANGES, Quantization
from edgenn.lowering.micro import for_micro

WIDE = "int16"
ENDS: Mapping[type[Operator], float] = {Logistic: 11.0, Tanh: 6.0}
"""Where they are within one step of 32,768 of their last value: 10.4 and 5.5, and some more."""

WORTH_IT = 2.0
"""By how much an input has to go beyond: up to here the interpolation costs some 8 steps."""

IMAGE_RANK = 4


def for_ethos_u(graph: Graph) -> Graph:
    """The graph rewritten. Loops do not run on an Ethos-U: their cells stay as they are."""
    graph = for_micro(graph)
    builder = GraphBuilder.from_graph(graph)
    sums = sums_for_one(graph)
    for op in graph.ops:
        if isinstance(op.operator, Logistic | Tanh):
            builder.ops.append(gate(op, builder, sums))
        elif not (isinstance(op.operator, Mean) and mean(op, builder)):
            builder.ops.append(op)
    return builder.finish(graph.outputs)


def sums_for_one(graph: Graph) -> set[str]:
    """Sums that one op alone reads: what they are stored in is between the two."""
    return {
        op.output
        for op in graph.ops
        if isinstance(op.operator, Add)
        and len(graph.consumers[op.output]) == 1
        and not graph.is_output(op.output)
    }


def gate(op: Op, builder: GraphBuilder, sums: Collection[str]) -> Op:
    x, end = builder.tensor(op.inputs[0]), ENDS[type(op.operator)]
    highest = INTEGER_RANGES[WIDE][1]
    if x.dtype != WIDE or x.quantization is None:
        return op
    if x.quantization.scale[0] * highest <= WORTH_IT * end:
        return op
    clipped = Quantization.per_tensor(end / highest)
    if x.name in sums:
        builder.tensors[x.name] = x.with_(quantization=clipped)
        return op
    narrow = builder.add(Quantize(WIDE), [x.name], f"{op.name}/clipped")
    builder.tensors[narrow] = builder.tensor(narrow).with_(quantization=clipped)
    return replace(op, inputs=(narrow,))


def mean(op: Op, builder: GraphBuilder) -> bool:
    assert isinstance(op.operator, Mean)
    x, output = builder.tensor(op.inputs[0]), builder.tensor(op.output)
    last = x.rank - 1
    axes = {axis % x.rank for axis in op.operator.axes}
    sizes = x.shape[1:]
    if x.quantization is None or x.rank != IMAGE_RANK or axes != {last}:
        return False
    if None in sizes or 1 in sizes:
        return False
    batch, channels = x.shape[0], sizes[-1]
    rows = (-1 if batch is None else batch, prod(s or 1 for s in sizes[:-1]), channels or 1)
    flat = builder.add(Reshape(rows), [x.name], f"{op.name}/rows")
    builder.tensors[flat] = builder.tensor(flat).with_(quantization=x.quantization)
    means = builder.add(Mean((2,), keep_dims=True), [flat], f"{op.name}/means")
    builder.tensors[means] = builder.tensor(means).with_(quantization=output.quantization)
    back = Reshape(tuple(-1 if size is None else size for size in output.shape))
    builder.ops.append(replace(op, operator=back, inputs=(means,)))
    return True
