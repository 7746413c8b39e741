"""Operators that move, select or repeat values without computing new ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from edgenn.ir.operator import ShapeError, TensorType
from edgenn.ir.ops.moving import Mover
from edgenn.ir.ops.reduction import normalized
from edgenn.ir.tensor import Array, Tensor


@dataclass(frozen=True)
class Reshape(Mover):
    """Same values, other shape; at most one dimension of ``shape`` is -1 (inferred)."""

    kind = "reshape"

    shape: tuple[int, ...] = ()

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        known = prod(size for size in self.shape if size != -1)
        if None in x.shape:
            if -1 not in self.shape:
                return (TensorType(self.shape, x.dtype),)
            shape = tuple(None if size == -1 else size for size in self.shape)
            return (TensorType(shape, x.dtype),)
        total = prod(size for size in x.shape if size is not None)
        if total % known if known and -1 in self.shape else total != known:
            raise ShapeError(f"{x.name!r} {x.shape} cannot become {self.shape}")
        rest = total // known if known else 0
        return (TensorType(tuple(rest if s == -1 else s for s in self.shape), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (x.reshape(self.shape),)


@dataclass(frozen=True)
class ExpandDims(Mover):
    """A new dimension of size 1 at ``axis``; for shapes with several open dimensions."""

    kind = "expand_dims"

    axis: int = 0

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        axis = normalized(self.axis, x.rank + 1)
        return (TensorType((*x.shape[:axis], 1, *x.shape[axis:]), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.expand_dims(x, self.axis),)


@dataclass(frozen=True)
class Squeeze(Mover):
    """Without the dimensions of size 1 at ``axes`` (counted from the front)."""

    kind = "squeeze"

    axes: tuple[int, ...] = ()

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        shape = tuple(size for i, size in enumerate(x.shape) if i not in self.axes)
        return (TensorType(shape, x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.squeeze(x, self.axes),)


@dataclass(frozen=True)
class Transpose(Mover):
    """Dimension ``i`` of the output is dimension ``permutation[i]`` of the input."""

    kind = "transpose"

    permutation: tuple[int, ...] = ()

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if sorted(self.permutation) != list(range(x.rank)):
            raise ShapeError(f"{self.permutation} does not permute {x.shape}")
        return (TensorType(tuple(x.shape[i] for i in self.permutation), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.transpose(x, self.permutation),)


@dataclass(frozen=True)
class Concatenation(Mover):
    """The inputs joined along ``axis``."""

    kind = "concatenation"

    axis: int = -1

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        rank = inputs[0].rank
        axis = normalized(self.axis, rank)
        shape: list[int | None] = []
        for i in range(rank):
            sizes = [x.shape[i] for x in inputs]
            fixed = [size for size in sizes if size is not None]
            if i == axis:
                shape.append(sum(fixed) if len(fixed) == len(sizes) else None)
            elif len(set(fixed)) > 1:
                raise ShapeError(f"{[x.shape for x in inputs]} do not join along {axis}")
            else:
                shape.append(fixed[0] if fixed else None)
        return (TensorType(tuple(shape), inputs[0].dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        return (np.concatenate(inputs, axis=self.axis),)


@dataclass(frozen=True)
class Split(Mover):
    """Cuts ``axis`` into pieces of ``sizes``, one output each."""

    kind = "split"

    axis: int = -1
    sizes: tuple[int, ...] = ()

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        axis = normalized(self.axis, x.rank)
        return tuple(
            TensorType((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)
            for size in self.sizes
        )

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return tuple(np.split(x, np.cumsum(self.sizes)[:-1], axis=self.axis))


@dataclass(frozen=True)
class StridedSlice(Mover):
    """``x[begin:end:stride]`` in every dimension; ``None`` means up to the edge.

    ``squeezed`` names the dimensions that were indexed with a number and fall away.
    """

    kind = "strided_slice"

    begin: tuple[int | None, ...] = ()
    end: tuple[int | None, ...] = ()
    strides: tuple[int, ...] = ()
    squeezed: tuple[int, ...] = ()

    @property
    def slices(self) -> tuple[slice, ...]:
        return tuple(map(slice, self.begin, self.end, self.strides))

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        shape: list[int | None] = []
        for i, (cut, size) in enumerate(zip(self.slices, x.shape, strict=True)):
            if i in self.squeezed:
                continue
            if size is not None:
                shape.append(len(range(*cut.indices(size))))
            elif cut in (slice(None, None, 1), slice(0, None, 1)):
                shape.append(None)
            elif cut.start in (None, 0) and cut.stop is not None and cut.stop > 0:
                shape.append(-(-cut.stop // cut.step))
            else:
                shape.append(None)
        return (TensorType(tuple(shape), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.squeeze(x[self.slices], self.squeezed),)


@dataclass(frozen=True)
class Pack(Mover):
    """The inputs stacked along a new ``axis`` (counted from the front)."""

    kind = "pack"

    axis: int = 0

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        shape = inputs[0].shape
        return (
            TensorType((*shape[: self.axis], len(inputs), *shape[self.axis :]), inputs[0].dtype),
        )

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        return (np.stack(inputs, axis=self.axis),)


@dataclass(frozen=True)
class Reverse(Mover):
    """The input with ``axes`` back to front."""

    kind = "reverse"

    axes: tuple[int, ...] = ()

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape, x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.flip(x, self.axes),)


@dataclass(frozen=True)
class Gather(Mover):
    """Inputs: x, indices (integers). Slices of x along ``axis``; an embedding is axis 0."""

    kind = "gather"
    data_inputs = (0,)

    axis: int = 0

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, indices = inputs
        axis = normalized(self.axis, x.rank)
        shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
        return (TensorType(shape, x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        x, indices = inputs
        return (np.take(x, indices, axis=self.axis),)
