"""Tensors that hold sizes of others, followed through the ops that compute them.

Files say "the batch of x, then 7 and 5" with SHAPE, STRIDED_SLICE and PACK, the graph with an
attribute in which the batch is open. Sizes are kept as float64, an open one as NaN: whatever is
computed from it is open again, and every operator's own evaluation does the following.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from edgenn.ir import ops
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator
from edgenn.ir.tensor import Array, Tensor

MOST: Final = 64
"""Numbers in a tensor beyond which it holds no sizes."""

FOLLOWED: Final[tuple[type[Operator], ...]] = (
    ops.Add, ops.Cast, ops.Concatenation, ops.ExpandDims, ops.FloorDiv, ops.Gather, ops.Maximum,
    ops.Minimum, ops.Mul, ops.Pack, ops.ReduceProd, ops.Reshape, ops.Split, ops.Squeeze,
    ops.StridedSlice, ops.Sub,
)  # fmt: skip
"""What sizes are computed with; of all these an open operand makes an open result."""


class Sizes:
    """What is known of integer tensors before a file runs."""

    def __init__(self) -> None:
        self._known: dict[str, Array] = {}

    def of(self, tensor: Tensor) -> Array | None:
        """The numbers, NaN where open; ``None`` where they depend on values."""
        if tensor.data is not None:
            return tensor.data.astype(np.float64)
        return self._known.get(tensor.name)

    def follow(self, op: Op, tensors: Mapping[str, Tensor]) -> None:
        """Takes up an op that computes sizes from sizes."""
        if isinstance(op.operator, ops.ShapeOf):
            shape = tensors[op.inputs[0]].shape
            self._known[op.output] = np.array([np.nan if s is None else s for s in shape])
            return
        if not isinstance(op.operator, FOLLOWED):
            return
        if not any(name in self._known for name in op.inputs):
            return
        operands = [self.of(tensors[name]) for name in op.inputs]
        known = [operand for operand in operands if operand is not None and operand.size <= MOST]
        if len(known) == len(operands):
            self._known.update(zip(op.outputs, computed(op.operator, known), strict=True))


def computed(operator: Operator, operands: list[Array]) -> tuple[Array, ...]:
    """The results, of which those are NaN that depend on an open size."""
    if isinstance(operator, ops.Cast):
        return tuple(operands)
    if isinstance(operator, ops.Gather):
        x, indices = operands
        return operator.evaluate([x, indices.astype(np.int64)])
    return operator.evaluate(operands)
