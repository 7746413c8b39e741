"""Orders of axes: where a value keeps the dimensions of its tensor.

The graph is channels-last; ONNX convolves channels-first. An order says for each axis of a value
which axis of the graph's tensor it holds: ``(0, 3, 1, 2)`` is NCHW for an NHWC tensor.
"""

from collections.abc import Sequence
from typing import TypeVar

from edgenn.ir.tensor import Shape

Order = tuple[int, ...]
Item = TypeVar("Item")


def channels_last(rank: int) -> Order:
    """The graph's own order."""
    return tuple(range(rank))


def channels_first(rank: int) -> Order:
    """The last axis comes second; below rank 3 that is the same as channels-last."""
    return (0, rank - 1, *range(1, rank - 1)) if rank >= 3 else channels_last(rank)


def time_first(rank: int) -> Order:
    """The order of ONNX's recurrent operators: batch and time swapped, from rank 3 on."""
    return (1, 0, *range(2, rank)) if rank >= 3 else channels_last(rank)


def lifted(shape: Shape, rank: int) -> Shape:
    """``shape`` with ones in front."""
    return (*([1] * (rank - len(shape))), *shape)


def reordered(items: Sequence[Item], order: Order) -> tuple[Item, ...]:
    """``items`` by axis of the tensor → by axis of the value."""
    return tuple(items[axis] for axis in order)


def permutation(source: Order, target: Order) -> Order:
    """What transposes a value of order ``source`` to order ``target``."""
    return tuple(source.index(axis) for axis in target)


def without(order: Order, axes: Sequence[int]) -> Order:
    """The order that is left once ``axes`` of the tensor fall away."""
    kept = sorted(set(order) - set(axes))
    return tuple(kept.index(axis) for axis in order if axis not in axes)


def moves_only_units(shape: Shape, target: Order, source: Order | None = None) -> bool:
    """Whether going from ``source`` (default: channels-last) to ``target`` moves no data.

    It does not when all dimensions above 1 keep their relative order: a reshape is enough.

    Args:
        shape: Of the tensor.
    """
    source = source or channels_last(len(shape))
    return [a for a in source if shape[a] != 1] == [a for a in target if shape[a] != 1]
