"""Which extents are the steps that a graph runs over, and whether it can run them one by one."""

from collections.abc import Iterable, Iterator

from edgenn.errors import UnsupportedError
from edgenn.ir.graph import Graph, Op
from edgenn.ir.ops.scan import TIME, Scan
from edgenn.ir.tensor import Tensor
from edgenn.lowering.recurrent.time.extents import Axis, Extent, Source, wide
from edgenn.lowering.recurrent.time.layouts import Layouts
from edgenn.lowering.recurrent.time.rules import outputs_of

LOOP_HINT = "--rnn loop runs over whole sequences"


class Steps:
    """The time of a graph of loops.

    Args:
        graph: With a ``Scan`` for each recurrent layer.

    Attributes:
        layouts: Of all its tensors.
        loops: The ops that run over time. Loops over another dimension of each step (characters
            of a word, where time runs over words) are none of them.
        single: There is one step only, which mixes with no other.

    Raises:
        UnsupportedError: The steps do not come from inputs.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.layouts = Layouts(graph)
        for op in graph.ops:
            for name, layout in zip(op.outputs, outputs_of(self.layouts, op), strict=True):
                self.layouts.of[name] = layout
        scans = [op for op in graph.ops if isinstance(op.operator, Scan)]
        over = {op.name: self.layouts.axis(op.inputs[0], TIME) for op in scans}
        somewhere = {extent.root for axis in over.values() for extent in wide(axis)}
        self.loops = [
            op
            for op in scans
            if somewhere.isdisjoint(e.root for e in wide(self.layouts.axis(op.inputs[0], 0)))
        ]
        self._roots: set[Extent] = set()
        for op in self.loops:
            self._roots.update(self._own_steps(op, over[op.name]))
        lengths = {root.length for root in self._roots}
        self.single = lengths <= {1}
        if len(lengths - {None}) > 1:
            known = sorted(length for length in lengths if length is not None)
            raise UnsupportedError(
                f"the inputs have different numbers of steps: {known}", LOOP_HINT
            )

    def _own_steps(self, op: Op, axis: Axis) -> list[Extent]:
        """What one loop runs over."""
        steps = wide(axis) or axis
        if len(steps) > 1:
            raise UnsupportedError(
                f"{self.named(op)} runs over several dimensions that were laid into one", LOOP_HINT
            )
        for extent in steps:
            members = extent.members if extent.length != 1 else []
            for member in members:
                if member.source in (Source.MADE, Source.BATCH):
                    raise UnsupportedError(
                        f"{self.named(op)}: its steps are not those of an input:"
                        f" {member.maker} {member.how}",
                        LOOP_HINT,
                    )
            if members and all(member.source is not Source.INPUT for member in members):
                raise UnsupportedError(
                    f"{self.named(op)}: its steps are made inside the model, by"
                    f" {members[0].maker}; no input gives them one by one",
                    LOOP_HINT,
                )
        return [extent.root for extent in steps]

    def is_step(self, extent: Extent) -> bool:
        return extent.root in self._roots

    def run_along(self, axis: Iterable[Extent]) -> bool:
        """Whether an axis is time, or holds it among other extents."""
        return any(map(self.is_step, axis))

    def has_time(self, name: str) -> bool:
        """Whether a tensor has values for each step."""
        return any(map(self.run_along, self.layouts.layout(name)))

    def time_axis(self, name: str, what: str) -> int | None:
        """Where time is in an input or output.

        Raises:
            UnsupportedError: It has no axis of its own.
        """
        layout = self.layouts.layout(name)
        found = [i for i, axis in enumerate(layout) if self.run_along(axis)]
        if self.single:
            found = [i for i in found if self.layouts.size(name, i) == 1]
        elif len(found) > 1 or any(len(layout[i]) > 1 for i in found):
            raise UnsupportedError(f"{what}: its steps have no axis of their own", LOOP_HINT)
        return found[0] if found else None

    def check(self, op: Op) -> None:
        """Refuses an op that mixes steps.

        Raises:
            UnsupportedError: Names the op and what it does.
        """
        for mixing in self.layouts.mixings.get(op.name, ()):
            if self.is_step(mixing.extent) and mixing.extent.length != 1:
                raise UnsupportedError(
                    f"{self.named(op)} {mixing.how}, and a step has one", LOOP_HINT
                )

    def layer(self, op: Op) -> str:
        """The path of the layer that a loop is, from the names of what is inside."""
        assert isinstance(op.operator, Scan)
        inside = next(iter(op.operator.cell.inputs.values()))
        sequence, cell, _ = inside.rpartition("/cell/")
        if not cell:
            return op.name
        # what a layer of a full-integer graph gives in float is called so; a layer has weights
        if not any(tensor.is_constant for tensor in self._within(sequence)):
            sequence = sequence.removesuffix("/float")
        return sequence.removesuffix("/sequence")

    def _within(self, path: str) -> Iterator[Tensor]:
        tensors = self.graph.tensors.items()
        return (tensor for name, tensor in tensors if name.startswith(f"{path}/"))

    def named(self, op: Op) -> str:
        """An op in an error: the layer's path and what it is."""
        if isinstance(op.operator, Scan):
            return f"{self.layer(op)} (recurrent)"
        return f"{op.name} ({op.kind})"
