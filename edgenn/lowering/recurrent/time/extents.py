"""Lengths that run through a graph.

An extent is one length, such as the number of steps of an input. Each axis of a tensor is a product
of extents, in row-major order: one of them as a rule, several where a reshape has laid axes into
one (``batch × steps``), none where the size is 1. Extents of tensors that meet element by element
are the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from math import prod

from edgenn.ir.tensor import Shape

Axis = tuple["Extent", ...]
Layout = tuple[Axis, ...]
"""One entry for each axis of a tensor."""


class Source(Enum):
    """Where an extent comes from."""

    BATCH = auto()
    INPUT = auto()
    """An axis of an input of the graph."""
    REPEATED = auto()
    """An op that repeats what has size 1."""
    MADE = auto()
    """Any other op: its values along the extent belong to no step of an input."""


@dataclass(eq=False)
class Extent:
    """One length.

    Attributes:
        size: ``None`` where open.
        maker: The op that makes it, or the input's public name.
        how: What that op does to the extents that it reads.
    """

    size: int | None
    source: Source
    maker: str
    how: str = ""
    _parent: "Extent | None" = None
    _members: list["Extent"] = field(default_factory=list)

    @property
    def root(self) -> "Extent":
        """What stands for all extents that are the same."""
        extent = self
        while extent._parent is not None:
            extent = extent._parent
        return extent

    @property
    def members(self) -> list["Extent"]:
        """All that are the same."""
        root = self.root
        return [root, *root._members]

    @property
    def length(self) -> int | None:
        """The size, if any of those that are the same has one."""
        return self.root.size

    def unite(self, other: "Extent") -> None:
        """Says that the two are the same."""
        root, absorbed = self.root, other.root
        if root is absorbed:
            return
        root._members += absorbed.members
        root.size = absorbed.size if root.size is None else root.size
        absorbed._members = []
        absorbed._parent = root


def size_of(axis: Iterable[Extent]) -> int | None:
    """The product of the lengths; ``None`` if one is open."""
    lengths = [extent.length for extent in axis]
    return None if None in lengths else prod(n for n in lengths if n is not None)


def united(a: Axis, b: Axis) -> Axis | None:
    """Two axes that meet element by element as one; ``None`` if they do not fit.

    One that is empty, or has nothing but extents of size 1, broadcasts to the other.
    """
    wide_a, wide_b = wide(a), wide(b)
    if not wide_a or not wide_b:
        return (b if wide_b else a) if a and b else a or b
    if len(wide_a) != len(wide_b):
        return None
    for x, y in zip(wide_a, wide_b, strict=True):
        if None not in (x.length, y.length) and x.length != y.length:
            return None
    for x, y in zip(wide_a, wide_b, strict=True):
        x.unite(y)
    return a


def wide(axis: Axis) -> Axis:
    """The extents that are not known to be of size 1."""
    return tuple(extent for extent in axis if extent.length != 1)


class Regrouping:
    """How the extents of a tensor lie in the axes of its reshaped self.

    Args:
        extents: In row-major order.
        maker: The op that reshapes.

    Attributes:
        scattered: Extents that end up in parts or among others: their order is lost.
    """

    def __init__(self, extents: Sequence[Extent], maker: str) -> None:
        self._left = list(extents)
        self._maker = maker
        self.scattered: list[Extent] = []

    def into(self, sizes: Shape) -> Layout:
        """The layout of the result; ``None`` among the sizes (at most one) takes what is left."""
        opened = sizes.index(None) if None in sizes else len(sizes)
        front = [self._take(size, 0) for size in sizes[:opened]]
        back = [self._take(size, -1) for size in reversed(sizes[opened + 1 :])][::-1]
        if opened < len(sizes):
            return (*front, tuple(self._left), *back)
        if front:
            front[-1] += tuple(self._left)
        return tuple(front)

    def _take(self, size: int | None, end: int) -> Axis:
        """The extents of one axis from the front (0) or the back (-1) of what is left."""
        taken: list[Extent] = []
        need = size or 1
        if need == 1 and self._left and self._left[end].length == 1:
            taken.append(self._left.pop(end))
        while need > 1:
            length = self._left[end].length if self._left else None
            if length is None:
                return self._scattered(size, taken)
            if need % length == 0:
                taken.append(self._left.pop(end))
                need //= length
            elif length % need == 0:
                taken.append(self._cut(length, need, end))
                need = 1
            else:
                return self._scattered(size, taken)
        return tuple(taken if end == 0 else reversed(taken))

    def _cut(self, length: int, need: int, end: int) -> Extent:
        """Splits the extent at one end of what is left."""
        whole = self._left.pop(end)
        self.scattered.append(whole)
        part, rest = self._made(need), self._made(length // need)
        self._left.insert(0 if end == 0 else len(self._left), rest)
        return part

    def _scattered(self, size: int | None, taken: Sequence[Extent]) -> Axis:
        self.scattered += [*taken, *self._left]
        self._left = []
        return (self._made(size),)

    def _made(self, size: int | None) -> Extent:
        return Extent(size, Source.MADE, self._maker, "lays steps out anew")
