"""Evaluates what does not depend on the input."""

from math import prod

import numpy as np

from edgenn.ir.graph import Op
from edgenn.ir.ops import Dequantize, Quantize
from edgenn.ir.tensor import Tensor
from edgenn.passes.base import Pass
from edgenn.passes.rewriter import Rewriter

MAX_GROWTH_BYTES = 1 << 20
"""How much larger than its inputs a folded result may be: a broadcast is cheap at run time
and expensive in a file."""


class FoldConstants(Pass):
    """Folds constant subgraphs.

    Rules:

    1. An op whose inputs are all constants becomes its results.

    Left alone: what produces an output of the graph, what would grow the file by more than
    ``MAX_GROWTH_BYTES``, and changes of representation (quantize, dequantize), which stand
    where they stand on purpose.
    """

    name = "fold_constants"

    def rewrite(self, op: Op, graph: Rewriter) -> None:
        if isinstance(op.operator, Quantize | Dequantize):
            return
        operands = [graph.tensors[name] for name in op.inputs]
        arrays = [data for name in op.inputs if (data := graph.value(name)) is not None]
        if len(arrays) < len(operands) or any(graph.is_output(name) for name in op.outputs):
            return
        results = [graph.tensors[name] for name in op.outputs]
        if sum(map(size_bytes, results)) - sum(map(size_bytes, operands)) > MAX_GROWTH_BYTES:
            return
        values = op.operator.evaluate(arrays)
        graph.replace(op)
        for result, value in zip(results, values, strict=True):
            data = np.ascontiguousarray(value, dtype=result.dtype)
            # ascontiguousarray makes scalars 1-D
            graph.tensors[result.name] = Tensor.constant(result.name, data.reshape(value.shape))


def size_bytes(tensor: Tensor) -> int:
    return prod(size or 1 for size in tensor.shape) * np.dtype(tensor.dtype).itemsize
