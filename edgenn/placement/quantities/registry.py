"""Functions from an op to what rules ask of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from edgenn.placement.program import Node, Value
from edgenn.targets.op_rules import Plain


@dataclass(frozen=True)
class Asked:
    """An op where it stands.

    Attributes:
        in_loop: A loop runs it.
        border: What the model takes and gives.
    """

    node: Node
    in_loop: bool = False
    border: frozenset[Value] = frozenset()


Answer = Plain | tuple[Plain, ...] | None
"""A value; several, each of which counts; or ``None`` where the op has no such thing."""

Function = Callable[[Asked], Answer]
F = TypeVar("F", bound=Function)

FUNCTIONS: dict[str, Function] = {}
"""Quantity → how it is found; the names are those of ``edgenn.targets.quantities``."""


def quantity(function: F) -> F:
    """Registers a function under its name."""
    FUNCTIONS[function.__name__] = function
    return function
