"""Which ops of a full-integer graph with float gates compute in float.

Processors multiply int8 matrices and give float results (dynamic-range products), so that what
follows a float state need not be rounded to 8 bits on its way: sums, attention weights and
probabilities stay real numbers, products of weights stay in int8. Convolutions and products of
two activations, which have no such kernels, begin an integer part again.

A layer that is to stay in float among integers is no such part: what follows it has integers again.
"""

from collections.abc import Collection
from typing import Final

from edgenn.ir.graph import Graph, Op
from edgenn.ir.operator import Operator
from edgenn.ir.ops import BatchMatMul, Conv2D, DepthwiseConv2D, Gather, TransposeConv2D

INTEGER_PRODUCTS: Final[tuple[type[Operator], ...]] = (
    BatchMatMul,
    Conv2D,
    DepthwiseConv2D,
    TransposeConv2D,
)
LARGEST_WIDE_TABLE: Final = 1 << 20
"""Elements up to which a table of embeddings that float ops read has 16 bits."""


def float_ops(graph: Graph, alone: Collection[str] = ()) -> frozenset[str]:
    """The ops with float gates, and what follows them up to the next integer part.

    Args:
        alone: Names of ops that no other op follows in float.
    """
    names: set[str] = set()
    real: set[str] = set()
    for op in graph.ops:
        follows = not real.isdisjoint(op.inputs) and not isinstance(op.operator, INTEGER_PRODUCTS)
        if (op.operator.mixed_precision and op.name not in alone) or follows:
            names.add(op.name)
            real.update(n for n in op.outputs if graph.tensors[n].dtype == "float32")
    return frozenset(names)


def wide_tables(graph: Graph, floats: frozenset[str]) -> frozenset[str]:
    """The look-ups in tables of embeddings whose results only float ops read."""
    return frozenset(op.name for op in graph.ops if is_wide_table(graph, op, floats))


def is_wide_table(graph: Graph, op: Op, floats: frozenset[str]) -> bool:
    if not isinstance(op.operator, Gather) or graph.is_output(op.outputs[0]):
        return False
    table, readers = graph.tensors[op.inputs[0]], graph.consumers[op.outputs[0]]
    is_table = table.data is not None and table.data.size <= LARGEST_WIDE_TABLE
    return is_table and bool(readers) and all(reader.name in floats for reader in readers)
