"""``keras.ops``: logic, selection and conversion."""

from typing import Any

import numpy as np

from edgenn.frontend.context import Context
from edgenn.frontend.handlers.ops_arithmetic import promoted, result_dtype
from edgenn.frontend.keras_operations import operation_table, operations
from edgenn.frontend.registry import handler, register_table
from edgenn.ir.operator import Operator
from edgenn.ir.ops import (
    Abs,
    Equal,
    Less,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    Maximum,
    Minimum,
    NotEqual,
    Select,
)
from edgenn.ir.tensor import INTEGER_RANGES


def logical(operator: Operator, context: Context, op: Any, *values: Any) -> str:
    return context.add(operator, [truth(context, value) for value in values])


def truth(context: Context, value: Any) -> str:
    """A boolean tensor: where the value is not 0."""
    if not isinstance(value, str):
        return context.operand(value, "bool")
    return value if context.dtype(value) == "bool" else context.apply(NotEqual(), value, 0)


register_table(
    logical,
    operation_table(
        {
            "LogicalAnd": LogicalAnd(),
            "LogicalNot": LogicalNot(),
            "LogicalOr": LogicalOr(),
            "LogicalXor": NotEqual(),
        }
    ),
)


@handler(*operations("Where"))
def where(context: Context, op: Any, condition: Any, x1: Any = None, x2: Any = None) -> str:
    """With both alternatives given."""
    if x1 is None or x2 is None:
        raise context.unsupported("where without alternatives has no fixed shape", "give both")
    return context.add(Select(), [truth(context, condition), *promoted(context, x1, x2)])


@handler(*operations("Isnan"))
def isnan(context: Context, op: Any, x: str) -> str:
    return context.apply(NotEqual(), x, x)


@handler(*operations("Isinf"))
def isinf(context: Context, op: Any, x: str) -> str:
    return context.apply(Equal(), context.apply(Abs(), x), np.inf)


@handler(*operations("Isfinite"))
def isfinite(context: Context, op: Any, x: str) -> str:
    return context.apply(Less(), context.apply(Abs(), x), np.inf)


@handler(*operations("Cast", "Array", "ConvertToTensor", "Copy", "StopGradient"))
def cast(context: Context, op: Any, x: Any) -> str:
    """Nothing where the dtype stays."""
    dtype = result_dtype(context)
    if isinstance(x, str) and dtype == "bool":
        return truth(context, x)
    return context.operand(x, dtype) if not isinstance(x, str) else context.cast(x, dtype)


@handler(*operations("SaturateCast"))
def saturate_cast(context: Context, op: Any, x: str) -> str:
    """Clamped to the integers' range first."""
    dtype = result_dtype(context)
    if dtype in INTEGER_RANGES and context.dtype(x) != dtype:
        low, high = INTEGER_RANGES[dtype]
        x = context.apply(Minimum(), context.apply(Maximum(), x, low), high)
    return context.cast(x, dtype)
