"""The extents of every tensor of a graph, and what each op does to those that it does not keep."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from edgenn.ir.graph import Graph, Op
from edgenn.ir.tensor import Shape
from edgenn.lowering.recurrent.time.extents import (
    Axis,
    Extent,
    Layout,
    Source,
    united,
    wide,
)

OWN = "has values of its own along them"


@dataclass(frozen=True)
class Mixing:
    """An op makes one value of several along an extent, or moves them along it."""

    op: Op
    extent: Extent
    how: str


@dataclass(frozen=True)
class ConstantMeeting:
    """An axis of a constant input that meets an axis of an op's output element by element."""

    input: int
    axis: int
    output_axis: int


class Layouts:
    """What the rules write into.

    Attributes:
        of: Tensor → its layout.
        mixings: By op.
        constants: By op.
        last: Op → the extent of which it takes the last value.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.of: dict[str, Layout] = {}
        self.mixings: dict[str, list[Mixing]] = {}
        self.constants: dict[str, list[ConstantMeeting]] = {}
        self.last: dict[str, Extent] = {}
        self._batch = Extent(None, Source.BATCH, "batch")
        for public, name in graph.inputs.items():
            first, *rest = graph.tensors[name].shape or (1,)
            self._batch.size = self._batch.size or first
            axes = [(Extent(size, Source.INPUT, public),) for size in rest]
            self.of[name] = ((self._batch,), *axes) if graph.tensors[name].shape else ()

    def layout(self, name: str) -> Layout:
        """Of a tensor; a constant's values belong to no step."""
        tensor = self.graph.tensors[name]
        if name not in self.of and tensor.is_constant:
            how = "is different at each step"
            made = [Extent(size, Source.MADE, name, how) for size in tensor.shape]
            self.of[name] = tuple(() if extent.size == 1 else (extent,) for extent in made)
        return self.of[name]

    def axis(self, name: str, axis: int) -> Axis:
        return self.layout(name)[axis]

    def size(self, name: str, axis: int) -> int | None:
        return self.graph.tensors[name].shape[axis]

    def made(self, op: Op, size: int | None, how: str = "", source: Source = Source.MADE) -> Axis:
        """A new axis, which no other op knows."""
        return () if size == 1 else (Extent(size, source, op.name, how),)

    def mix(self, op: Op, axis: Iterable[Extent], how: str) -> None:
        """Notes what the op does along an axis that it does not keep."""
        found = self.mixings.setdefault(op.name, [])
        found.extend(Mixing(op, extent, how) for extent in axis)

    def mixed(self, op: Op, axis: Axis, size: int | None, how: str) -> Axis:
        """``mix``; gives the new axis that the op makes instead."""
        self.mix(op, axis, how)
        return self.made(op, size, how)

    def joined(
        self, op: Op, inputs: Sequence[int], shape: Shape, skipped: Collection[int] = ()
    ) -> list[Axis]:
        """The axes of what comes out when inputs meet element by element, broadcasting.

        Args:
            inputs: Which of the op's inputs.
            shape: Of what comes out.
            skipped: Axes along which they do not meet.
        """
        axes: list[Axis] = []
        for axis, size in enumerate(shape):
            result: Axis = ()
            for index in inputs if axis not in skipped else ():
                tensor = self.graph.tensors[op.inputs[index]]
                own = axis - (len(shape) - tensor.rank)
                if own < 0 or (tensor.shape[own] == 1 and tensor.is_constant):
                    continue
                if tensor.is_constant:
                    meeting = ConstantMeeting(index, own, axis)
                    self.constants.setdefault(op.name, []).append(meeting)
                else:
                    result = self.meeting(op, result, self.axis(tensor.name, own))
            axes.append(result if wide(result) or size == 1 else self.made(op, size, OWN))
        return axes

    def meeting(self, op: Op, a: Axis, b: Axis) -> Axis:
        """Two axes whose values meet in an op, as one."""
        result = united(a, b)
        if result is not None:
            return result
        how = "lays steps beside values of another order"
        self.mix(op, (*a, *b), how)
        return (Extent(None, Source.MADE, op.name, how),)
