"""Steps of sequences, chosen row by row: what a mask leaves of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgenn.ir.operator import Operator, OutputRule, ShapeError, TensorType
from edgenn.ir.ops.moving import Mover
from edgenn.ir.tensor import Array, Tensor


@dataclass(frozen=True)
class GatherSteps(Mover):
    """Inputs: x ``(B, T, …)``, indices ``(B, N)`` int32. ``y[b, n] = x[b, indices[b, n]]``."""

    kind = "gather_steps"
    data_inputs = (0,)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, indices = inputs
        if x.rank < 2 or indices.rank != 2:
            raise ShapeError(f"{indices.shape} are no steps of the rows of {x.shape}")
        batch = x.shape[0] if indices.shape[0] is None else indices.shape[0]
        return (TensorType((batch, indices.shape[1], *x.shape[2:]), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        x, indices = inputs
        rows = np.arange(len(x))[:, np.newaxis]
        return (x[rows, indices],)


@dataclass(frozen=True)
class CountTrue(Operator):
    """How many conditions of a row hold up to each, itself included: ``(B, T)`` to int32."""

    kind = "count_true"
    output_rule = OutputRule.NONE
    integer_dtypes = frozenset()

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if x.dtype != "bool":
            raise ShapeError(f"{x.name!r} holds no conditions, but {x.dtype}")
        return (TensorType(x.shape, "int32"),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.cumsum(x, axis=-1, dtype=np.int32),)
