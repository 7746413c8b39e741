"""The emitters of ONNX; filled by the files in ``emitters/``."""

from edgenn.errors import UnsupportedError
from edgenn.export.onnx.context import Context
from edgenn.export.registry import Registry

EMITTERS = Registry[Context]()
emitter = EMITTERS.emitter


def write_ops(context: Context) -> None:
    """Writes all ops of the context's graph.

    Raises:
        UnsupportedError: An op that ONNX has no counterpart for.
    """
    for op in context.graph.ops:
        write = EMITTERS.get(type(op.operator))
        if write is None:
            raise UnsupportedError(
                f"{op.name}: there is no ONNX writer for {op.kind!r}",
                hint="leave ONNX out with --format tflite",
            )
        context.begin(op.outputs[0])
        write(op, context)
