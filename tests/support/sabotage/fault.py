"""What a fault is: where it can be in an artifact, and how it gets there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from support.sabotage.subjects import Converted, Subject

from edgenn.ir.graph import Graph

Random = np.random.Generator


@dataclass(frozen=True)
class Site:
    """A place for a fault, and what a report has to say about it.

    Attributes:
        layers: One of them has to come first.
        tensor: What is changed: an op's output or a constant.
        gates: Have to be named.
        step: Has to be named.
        words: One of them has to be in what is said of the layer; any will do if there are none.
        options: What else the injection has to know.
    """

    layers: tuple[str, ...]
    tensor: str = ""
    gates: tuple[str, ...] = ()
    step: int | None = None
    words: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def label(self) -> str:
        rest = "".join(f" {key}={value}" for key, value in self.options.items())
        return (self.tensor or "the file") + rest


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Attributes:
        sites: Every place of an artifact where it changes what is computed.
        inject: The artifact with the fault; the generator is seeded for the case.
    """

    name: str
    sites: Callable[[Subject], list[Site]]
    inject: Callable[[Subject, Site, Random], Converted]


def in_graph(
    name: str,
    sites: Callable[[Graph], list[Site]],
    inject: Callable[[Graph, Site, Random], Graph],
) -> Fault:
    """A fault that is put into the graph of a healthy file."""

    def put(subject: Subject, site: Site, random: Random) -> Converted:
        healthy = subject.healthy()
        return healthy.with_graph(inject(healthy.graph, site, random))

    return Fault(name, lambda subject: sites(subject.healthy().graph), put)
