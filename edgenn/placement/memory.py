"""How much memory activations take at the worst moment.

Ops run in the file's order. While one runs, everything that it reads and makes is in memory, and
everything that was made before and is still to be read. Inputs of the graph are there from the
start, its outputs until the end, states all the time; constants are not counted. What a loop runs
is in memory beside what waits outside. Values that are the same bytes in another shape share
them, and a real number between QuantizeLinear or DequantizeLinear and its neighbour takes what
its integer takes.

This is the least that any plan of memory needs for this order of ops, as long as an op's results
do not take the place of its inputs: arenas of real engines are larger by gaps, alignment and
what kernels need for themselves.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edgenn.placement.program import Program, Section, Value

VIEWS = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "Reshape", "Squeeze", "Unsqueeze"})
"""Ops whose output is their first input in another shape."""

CONVERSIONS = frozenset({"QuantizeLinear", "DequantizeLinear", "Identity"})
"""Ops that engines take into their neighbours."""


@dataclass(frozen=True)
class Peak:
    """The worst moment.

    Attributes:
        bytes: In memory then, for one sample.
        node: The op that runs.
    """

    bytes: int
    node: str


def peak_activation(program: Program) -> Peak:
    """The most that activations take while the program runs once."""
    peaks: dict[int, Peak] = {}
    for number in reversed(program.reached()):  # bodies before whoever runs them
        peaks[number] = Liveness(program.sections[number]).peak(peaks)
    states = {(section, v): v.bytes for node, section in program.nodes for v in node.given}
    kept = sum(size for (_, value), size in states.items() if value.variable)
    return Peak(peaks[0].bytes + kept, peaks[0].node)


class Liveness:
    """From when until when each piece of memory of a section is needed.

    Attributes:
        place: Value → the value whose bytes it has; itself where it has its own.
        sizes: Bytes of such places.
        last: The op that reads a place last; their number where the section's caller does.
    """

    def __init__(self, section: Section) -> None:
        self.section = section
        self.place = shared_places(section)
        self.sizes: dict[Value, int] = {}
        self.last: dict[Value, int] = {}
        for value in section.inputs:
            self.add(value, -1)
        for index, node in enumerate(section.nodes):
            for value in (*node.reads, *node.outputs):
                self.add(value, index)
        for value in section.outputs:
            self.add(value, len(section.nodes))

    def add(self, value: Value, index: int) -> None:
        if not value.constant and not value.variable:
            place = self.place.get(value, value)
            self.sizes[place] = min(self.sizes.get(place, value.bytes), value.bytes)
            self.last[place] = index

    def places(self, values: Iterable[Value]) -> set[Value]:
        return {self.place.get(value, value) for value in values} & self.sizes.keys()

    def peak(self, bodies: Mapping[int, Peak]) -> Peak:
        """The worst moment; ``bodies`` has those of the sections that this one runs."""
        live = self.places(self.section.inputs)
        worst = Peak(self.bytes(live), self.section.name)
        for index, node in enumerate(self.section.nodes):
            live |= self.places(node.outputs)
            inside = max((bodies[body].bytes for body in node.bodies if body in bodies), default=0)
            now = self.bytes(live) + inside + node.workspace
            if now > worst.bytes:
                worst = Peak(now, node.name)
            live = {place for place in live if self.last[place] > index}
        return worst

    def bytes(self, places: Iterable[Value]) -> int:
        return sum(self.sizes[place] for place in places)


def shared_places(section: Section) -> dict[Value, Value]:
    """Value → the value whose bytes it shares, where it shares some."""
    readers = Counter(value for node in section.nodes for value in set(node.reads))
    readers.update(section.outputs)
    result: dict[Value, Value] = {}
    for node in section.nodes:
        if node.kind not in VIEWS and node.kind not in CONVERSIONS:
            continue
        x, y = node.inputs[0], node.outputs[0]
        if x is None or x.constant or x.variable:
            continue
        if node.kind == "QuantizeLinear" and readers[x] > 1:
            continue  # others read the real number
        result[y] = result.get(x, x)
    return result
