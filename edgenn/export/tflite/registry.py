"""The emitters of TFLite; filled by the files in ``emitters/``."""

from edgenn.errors import UnsupportedError
from edgenn.export.registry import Registry
from edgenn.export.tflite.context import Context

EMITTERS = Registry[Context]()
emitter = EMITTERS.emitter


def write_ops(context: Context) -> None:
    """Writes all ops of the context's graph.

    Raises:
        UnsupportedError: An op that TFLite has no builtin for.
    """
    for op in context.graph.ops:
        write = EMITTERS.get(type(op.operator))
        if write is None:
            raise UnsupportedError(f"{op.name}: TFLite has no builtin for {op.kind!r}")
        write(op, context)
