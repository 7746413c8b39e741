"""Nodes, constants and the names of values of an ONNX graph under construction."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike

from edgenn.ir.tensor import Array


class Writer:
    """Collects nodes in topological order.

    Args:
        reserved: Names that only ``claim`` gives out.

    Attributes:
        nodes: NodeProtos.
        initializers: Constants by name.
        scope: What the values made now belong to; the beginning of their names.
    """

    def __init__(self, reserved: Iterable[str]) -> None:
        self.scope = ""
        self.nodes: list[Any] = []
        self.initializers: list[tuple[str, Array]] = []
        self._reserved = frozenset(reserved)
        self._outside: frozenset[str] = frozenset()
        self._taken: set[str] = set()
        self._suffixes: dict[str, int] = {}
        self._shared: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._unread: dict[str, tuple[Any, int]] = {}

    def join(self, outer: "Writer") -> None:
        """Makes this the writer of a subgraph inside of ``outer``: they share names and constants.

        ONNX lets no name of a subgraph be one of the graph around it.
        """
        self._outside = outer._reserved | outer._outside
        self._reserved = self._reserved | self._outside
        self._taken, self._suffixes = outer._taken, outer._suffixes
        self.initializers, self._shared = outer.initializers, outer._shared

    def begin(self, name: str) -> None:
        """What is made from now on belongs to ``name``."""
        self.scope = name

    def is_taken(self, name: str) -> bool:
        """Whether a value has the name, or one of the graph around a subgraph may get it."""
        return name in self._taken or name in self._outside

    def claim(self, name: str) -> str:
        """Takes a name as it is."""
        assert name not in self._taken, f"two values called {name!r}"
        self._taken.add(name)
        return name

    def fresh(self, name: str) -> str:
        """``name``, or ``name_1``, ``name_2`` … where it is taken or reserved."""
        candidate = name
        while candidate in self._taken or candidate in self._reserved:
            self._suffixes[name] = self._suffixes.get(name, 0) + 1
            candidate = f"{name}_{self._suffixes[name]}"
        return self.claim(candidate)

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Adds a node; returns the name of its output."""
        (output,) = self.node_with_outputs(operator, inputs, 1, **attributes)
        return output

    def node_with_outputs(
        self, operator: str, inputs: Sequence[str], count: int, **attributes: Any
    ) -> list[str]:
        """Adds a node; returns the names of its outputs. An absent input is ``""``."""
        for name in inputs:
            self._unread.pop(name, None)
        outputs = [self.fresh(f"{self.scope}/{operator}") for _ in range(count)]
        made = onnx.helper.make_node(operator, inputs, outputs, **attributes)
        self.nodes.append(made)
        self._unread.update((output, (made, i)) for i, output in enumerate(outputs))
        return outputs

    def node_with_some_outputs(
        self, operator: str, inputs: Sequence[str], wanted: Sequence[bool], **attributes: Any
    ) -> list[str]:
        """Adds a node; returns the names of its outputs, ``""`` for those not wanted."""
        outputs = self.node_with_outputs(operator, inputs, len(wanted), **attributes)
        for index, (name, is_wanted) in enumerate(zip(outputs, wanted, strict=True)):
            if not is_wanted:
                self.rename(name, "")
                outputs[index] = ""
        return outputs

    def can_rename(self, value: str) -> bool:
        """Whether a node made the value and nothing has read it yet."""
        return value in self._unread

    def rename(self, value: str, name: str) -> str:
        """Calls an unread value ``name``, which must be free."""
        made, index = self._unread.pop(value)
        made.output[index] = name
        self._taken.discard(value)
        return name

    def initializer(self, name: str, data: Array) -> str:
        """Adds a constant under a name that was claimed."""
        self.initializers.append((name, data))
        return name

    def attribute(self, name: str, values: ArrayLike, dtype: str = "int64") -> str:
        """What the graph keeps as an attribute and ONNX reads as an input; equal ones once."""
        data = np.asarray(values, dtype)
        key = (data.dtype.name, data.shape, data.tobytes())
        if key not in self._shared:
            self._shared[key] = self.initializer(self.fresh(f"{self.scope}/{name}"), data)
        return self._shared[key]
