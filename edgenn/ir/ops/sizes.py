"""Operators that compute with the shapes of tensors, which are known when the graph runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgenn.ir.operator import IntegerInput, Operator, OutputRule, TensorType
from edgenn.ir.ops.moving import Mover
from edgenn.ir.tensor import Array, Tensor


@dataclass(frozen=True)
class ShapeOf(Operator):
    """The sizes of the input along all axes, a vector."""

    kind = "shape_of"
    output_rule = OutputRule.NONE

    dtype: str = "int32"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType((x.rank,), self.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.array(x.shape, self.dtype),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        return self.evaluate([x.values for x in inputs])


@dataclass(frozen=True)
class Fill(Mover):
    """Inputs: sizes (a vector), value (a scalar). Output: the value, in that shape."""

    kind = "fill"
    data_inputs = (1,)

    rank: int = 1

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        sizes, value = inputs
        known = [None] * self.rank if sizes.data is None else [int(n) for n in sizes.data]
        return (TensorType(tuple(known), value.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        sizes, value = inputs
        return (np.full([int(n) for n in sizes], value),)


@dataclass(frozen=True)
class UpdateSlice(Mover):
    """Inputs: x, a smaller tensor, and where along each axis it goes into x.

    The place is moved so that the smaller tensor lies inside x.
    """

    kind = "update_slice"
    data_inputs = (0, 1)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        return (TensorType(inputs[0].shape, inputs[0].dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        x, part, start = inputs
        result = x.copy()
        places = [
            int(np.clip(at, 0, size - width))
            for at, size, width in zip(start, x.shape, part.shape, strict=True)
        ]
        cut = tuple(slice(at, at + n) for at, n in zip(places, part.shape, strict=True))
        result[cut] = part
        return (result,)


@dataclass(frozen=True)
class SliceAt(Mover):
    """Inputs: x, and where along each axis the part of ``sizes`` begins (a vector)."""

    kind = "slice_at"
    data_inputs = (0,)

    sizes: tuple[int, ...] = ()

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, _ = inputs
        shape = (None if n == -1 else n for n in self.sizes)
        return (TensorType(tuple(shape), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        x, start = inputs
        cut = tuple(
            slice(int(at), None if size == -1 else int(at) + size)
            for at, size in zip(start, self.sizes, strict=True)
        )
        return (x[cut],)
