"""Which function writes which operator; filled by the files in ``emitters/``."""

from collections.abc import Callable

from edgenn.export.onnx.context import Context
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator

Emitter = Callable[[Op, Context], None]
EMITTERS: dict[type[Operator], Emitter] = {}


def emitter(*operators: type[Operator]) -> Callable[[Emitter], Emitter]:
    """Registers a function as the writer of ``operators``."""

    def register(function: Emitter) -> Emitter:
        EMITTERS.update(dict.fromkeys(operators, function))
        return function

    return register
