"""Which function writes which operator; one registry for each format."""

from collections.abc import Callable
from typing import Generic, TypeVar

from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator

C = TypeVar("C")
"""What the emitters of a format write into."""


class Registry(dict[type[Operator], Callable[[Op, C], None]], Generic[C]):
    """Operator → its emitter; filled by the files in ``emitters/``."""

    def emitter(
        self, *operators: type[Operator]
    ) -> Callable[[Callable[[Op, C], None]], Callable[[Op, C], None]]:
        """Registers a function as the writer of ``operators``."""

        def register(function: Callable[[Op, C], None]) -> Callable[[Op, C], None]:
            self.update(dict.fromkeys(operators, function))
            return function

        return register
