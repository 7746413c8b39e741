"""One op of a file, with its tensors' names in the graph."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Node:
    """One op.

    Attributes:
        builtin: The name in ``BuiltinOperator``, or that of a custom op.
        inputs: ``None`` for an optional input that is left out.
        options: The schema's options object; ``None`` where the file has none.
        intermediates: What the kernel is told of values inside it.
    """

    builtin: str
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]
    options: Any = None
    intermediates: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The first tensor that it makes."""
        return self.outputs[0] if self.outputs else ""

    @property
    def given(self) -> tuple[str, ...]:
        """The inputs that are there."""
        return tuple(name for name in self.inputs if name is not None)

    def input(self, index: int) -> str | None:
        return self.inputs[index] if index < len(self.inputs) else None

    def option(self, name: str, default: Any = 0) -> Any:
        """An option by the schema's name; ``default`` is the schema's, for files without any."""
        return default if self.options is None else getattr(self.options, name)
