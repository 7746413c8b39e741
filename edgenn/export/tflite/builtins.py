"""Operators that TFLite has one builtin for: name and options, written by one function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.context import Context
from edgenn.ir.graph import Op
from edgenn.ir.operator import Operator


@dataclass(frozen=True)
class Builtin:
    """One builtin op of TFLite.

    Attributes:
        name: In ``BuiltinOperator``.
        options: The schema's options class; ``None`` where the builtin has none.
        fill: Copies the operator's attributes to the options.
    """

    name: str
    options: Callable[[], Any] | None = None
    fill: Callable[[Any, Any], None] | None = None


Builtins = Mapping[type[Operator], Builtin]

MAX_BROADCAST_RANK = 8
"""LiteRT 2.3 aborts the process beyond it (``kMaxRank`` of ``BroadcastBinaryOpSimple``)."""


def emit_builtin(builtin: Builtin, op: Op, context: Context, *attributes: int) -> None:
    """Writes ``op``.

    Args:
        attributes: Tensor indices of attributes that TFLite takes as further inputs.

    Raises:
        UnsupportedError: LiteRT has no kernel for the op's dtype or rank.
    """
    require_integer_kernel(op, context)
    require_broadcast_rank(op, context)
    options = builtin.options() if builtin.options is not None else None
    if builtin.fill is not None:
        builtin.fill(options, op.operator)
    inputs = [*context.indices(op.inputs), *attributes]
    context.emit(builtin.name, inputs, context.indices(op.outputs), options)


def require_integer_kernel(op: Op, context: Context) -> None:
    """Quantised activations need a kernel that computes in their dtype."""
    for name in (*op.inputs, *op.outputs):
        tensor = context.tensor(name)
        if tensor.is_constant or tensor.quantization is None:
            continue
        if tensor.dtype not in op.operator.integer_dtypes:
            known = ", ".join(sorted(op.operator.integer_dtypes)) or "none"
            raise UnsupportedError(
                f"{op.name}: LiteRT has no {tensor.dtype} kernel for {op.kind!r}"
                f" (integer kernels: {known})",
                hint="keep this op in float, or convert with a scheme that it has a kernel for",
            )


def require_broadcast_rank(op: Op, context: Context) -> None:
    """Kernels of several operands loop over a fixed number of dimensions."""
    rank = max(context.tensor(name).rank for name in op.inputs)
    if len(op.inputs) > 1 and rank > MAX_BROADCAST_RANK:
        raise UnsupportedError(
            f"{op.name}: LiteRT computes {op.kind!r} up to rank {MAX_BROADCAST_RANK},"
            f" the inputs have rank {rank}",
            hint="reshape the operands to a lower rank before the op",
        )
