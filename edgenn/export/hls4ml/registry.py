"""The emitters of hls4ml; filled by the files in ``emitters/``."""

from edgenn.errors import UnsupportedError
from edgenn.export.hls4ml.context import Context
from edgenn.export.registry import Registry
from edgenn.ir.graph import Op

EMITTERS = Registry[Context]()
emitter = EMITTERS.emitter


def write_ops(context: Context) -> None:
    """Writes all ops of the context's graph.

    Raises:
        UnsupportedError: An op that hls4ml has no layer for.
    """
    for op in context.graph.ops:
        write_op(op, context)


def write_op(op: Op, context: Context) -> None:
    """Writes one op; errors as of ``write_ops``."""
    write = EMITTERS.get(type(op.operator))
    if write is None:
        raise refused(op, f"hls4ml has no layer for {op.kind!r}")
    write(op, context)


def refusals(context: Context) -> dict[str, UnsupportedError]:
    """Op → why hls4ml cannot lay it out; the ops behind it are tried all the same."""
    found: dict[str, UnsupportedError] = {}
    for op in context.graph.ops:
        try:
            write_op(op, context)
        except UnsupportedError as error:
            found[op.name] = error
            context.pretend(op.outputs)
    return found


def refused(op: Op, reason: str) -> UnsupportedError:
    """The error that names a layer and says why it cannot be laid out."""
    return UnsupportedError(
        f"{op.outputs[0]}: {reason}", "leave fpga-hls4ml out, or build the layer from others"
    )
