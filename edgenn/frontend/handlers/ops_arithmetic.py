"""``keras.ops``: arithmetic and comparison."""

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np

from edgenn.frontend.context import Context, as_array
from edgenn.frontend.keras_import import keras
from edgenn.frontend.keras_operations import operation_table, operations
from edgenn.frontend.registry import handler, register_table
from edgenn.ir.operator import Operator
from edgenn.ir.ops import (
    Abs,
    Add,
    Ceil,
    Cos,
    Div,
    Equal,
    Exp,
    Floor,
    FloorDiv,
    FloorMod,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Log,
    Maximum,
    Minimum,
    Mul,
    NotEqual,
    Pow,
    Relu,
    Relu6,
    ReluN1To1,
    Round,
    Rsqrt,
    Sign,
    Sin,
    Sqrt,
    Sub,
)


def value_type(context: Context, value: Any) -> Any:
    """What Keras's dtype promotion asks of a value: its dtype, or the type of a number."""
    if isinstance(value, str):
        return context.dtype(value)
    if isinstance(value, bool | int | float):
        return type(value)
    return as_array(value).dtype.name


def promoted(context: Context, *values: Any) -> list[str]:
    """The values as tensors of their common dtype."""
    dtype = keras.backend.result_type(*(value_type(context, value) for value in values))
    return [context.operand(value, dtype) for value in values]


def result_dtype(context: Context) -> str:
    dtype: str = context.outputs[0].dtype
    return dtype


def binary(operator: Operator, context: Context, op: Any, x1: Any, x2: Any) -> str:
    """Tensors, numbers, arrays and variables, with Keras's dtype promotion."""
    return context.add(operator, promoted(context, x1, x2))


def unary(operator: Operator, context: Context, op: Any, x: str) -> str:
    return context.add(operator, [context.cast(x, result_dtype(context))])


register_table(
    binary,
    operation_table(
        {
            "Add": Add(),
            "Equal": Equal(),
            "FloorDivide": FloorDiv(),
            "Greater": Greater(),
            "GreaterEqual": GreaterEqual(),
            "Less": Less(),
            "LessEqual": LessEqual(),
            "Maximum": Maximum(),
            "Minimum": Minimum(),
            "Mod": FloorMod(),
            "Multiply": Mul(),
            "NotEqual": NotEqual(),
            "Subtract": Sub(),
        }
    ),
)
register_table(
    unary,
    operation_table(
        {
            "Abs": Abs(),
            "Absolute": Abs(),
            "Ceil": Ceil(),
            "Cos": Cos(),
            "Exp": Exp(),
            "Floor": Floor(),
            "Log": Log(),
            "Rsqrt": Rsqrt(),
            "Sign": Sign(),
            "Sin": Sin(),
            "Sqrt": Sqrt(),
        }
    ),
)


@handler(*operations("Divide", "TrueDivide"))
def divide(context: Context, op: Any, x1: Any, x2: Any) -> str:
    """By a constant as a product, which has integer kernels."""
    dtype = result_dtype(context)
    if isinstance(x2, str):
        return context.add(Div(), [context.operand(x1, dtype), context.operand(x2, dtype)])
    reciprocal = 1 / as_array(x2).astype(np.float64)
    return context.add(Mul(), [context.operand(x1, dtype), context.operand(reciprocal, dtype)])


@handler(*operations("Reciprocal"))
def reciprocal(context: Context, op: Any, x: str) -> str:
    return context.apply(Div(), 1, context.cast(x, result_dtype(context)))


@handler(*operations("Negative"))
def negative(context: Context, op: Any, x: str) -> str:
    return context.negative(x)


@handler(*operations("Square"))
def square(context: Context, op: Any, x: str) -> str:
    return context.apply(Mul(), x, x)


POWERS: dict[float, Callable[[Context, str], str]] = {
    1: lambda context, x: x,
    2: lambda context, x: context.apply(Mul(), x, x),
    3: lambda context, x: context.apply(Mul(), context.apply(Mul(), x, x), x),
    0.5: lambda context, x: context.apply(Sqrt(), x),
    -0.5: lambda context, x: context.apply(Rsqrt(), x),
    -1: lambda context, x: context.apply(Div(), 1, x),
}


@handler(*operations("Power"))
def power(context: Context, op: Any, x1: Any, x2: Any) -> str:
    """Exponents 1, 2, 3, 0.5, -0.5 and -1 as products and roots."""
    if isinstance(x1, str) and not isinstance(x2, str) and np.size(as_array(x2)) == 1:
        exponent = float(np.ravel(as_array(x2))[0])
        if exponent in POWERS:
            return POWERS[exponent](context, context.cast(x1, result_dtype(context)))
    return context.add(Pow(), promoted(context, x1, x2))


def scaled_log(base: float, context: Context, op: Any, x: str) -> str:
    y = context.apply(Log(), context.cast(x, result_dtype(context)))
    return context.apply(Mul(), y, 1 / log(base))


register_table(scaled_log, operation_table({"Log2": 2, "Log10": 10}))


@handler(*operations("Log1p"))
def log1p(context: Context, op: Any, x: str) -> str:
    return context.apply(Log(), context.apply(Add(), context.cast(x, result_dtype(context)), 1))


@handler(*operations("Expm1"))
def expm1(context: Context, op: Any, x: str) -> str:
    return context.apply(Sub(), context.apply(Exp(), context.cast(x, result_dtype(context))), 1)


@handler(*operations("Exp2"))
def exp2(context: Context, op: Any, x: str) -> str:
    x = context.cast(x, result_dtype(context))
    return context.apply(Exp(), context.apply(Mul(), x, log(2)))


def hyperbolic(operator: Operator, context: Context, op: Any, x: str) -> str:
    """``(exp(x) ± exp(-x)) / 2``."""
    x = context.cast(x, result_dtype(context))
    rising, falling = context.apply(Exp(), x), context.apply(Exp(), context.negative(x))
    return context.apply(Mul(), context.add(operator, [rising, falling]), 0.5)


register_table(hyperbolic, operation_table({"Cosh": Add(), "Sinh": Sub()}))


@handler(*operations("Tan"))
def tan(context: Context, op: Any, x: str) -> str:
    x = context.cast(x, result_dtype(context))
    return context.apply(Div(), context.apply(Sin(), x), context.apply(Cos(), x))


@handler(*operations("Trunc"))
def trunc(context: Context, op: Any, x: str) -> str:
    """The sign times the floor of the absolute value."""
    whole = context.apply(Floor(), context.apply(Abs(), x))
    return context.apply(Mul(), context.apply(Sign(), x), whole)


@handler(*operations("Round"))
def round_(context: Context, op: Any, x: str) -> str:
    """Ties to even; any number of decimals."""
    decimals = getattr(op, "decimals", 0)
    if not decimals:
        return context.apply(Round(), x)
    y = context.apply(Round(), context.apply(Mul(), x, 10.0**decimals))
    return context.apply(Mul(), y, 10.0**-decimals)


@handler(*operations("Logaddexp"))
def logaddexp(context: Context, op: Any, x1: Any, x2: Any) -> str:
    """``max(a, b) + log(1 + exp(-|a - b|))``."""
    a, b = (context.operand(x, result_dtype(context)) for x in (x1, x2))
    distance = context.apply(Abs(), context.apply(Sub(), a, b))
    tail = context.apply(Add(), context.apply(Exp(), context.negative(distance)), 1)
    return context.apply(Add(), context.apply(Maximum(), a, b), context.apply(Log(), tail))


CLAMPS: dict[tuple[float | None, float | None], Operator] = {
    (0, None): Relu(),
    (0, np.inf): Relu(),
    (0, 6): Relu6(),
    (-1, 1): ReluN1To1(),
}


@handler(*operations("Clip"))
def clip(context: Context, op: Any, x: str) -> str:
    """As a fusable clamp for [0, ∞), [0, 6] and [-1, 1]."""
    x = context.cast(x, result_dtype(context))
    low, high = op.x_min, op.x_max
    if np.ndim(low) == np.ndim(high) == 0 and context.dtype(x) == "float32":
        bounds = tuple(None if bound is None else float(bound) for bound in (low, high))
        if bounds in CLAMPS:
            return context.add(CLAMPS[bounds], [x])
    if low is not None:
        x = context.apply(Maximum(), x, low)
    return x if high is None else context.apply(Minimum(), x, high)
