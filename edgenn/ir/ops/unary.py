"""Functions of one number, element by element."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgenn.ir.operator import IntegerInput
from edgenn.ir.ops import integer_elementwise as kernels
from edgenn.ir.ops import integer_function as functions
from edgenn.ir.ops.elementwise import FLOAT_ONLY, Unary
from edgenn.ir.tensor import Array, Tensor


@dataclass(frozen=True)
class Tabulated(Unary):
    """A function that integer kernels look up in a table."""

    def table_function(self, output: Tensor) -> functions.Function:
        """The real function, given what its output can hold."""
        raise NotImplementedError(f"{self.kind} has no table")

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        return (functions.look_up(x, outputs[0], self.table_function(outputs[0])),)


@dataclass(frozen=True)
class Abs(Unary):
    kind = "abs"
    function = np.absolute

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        return (kernels.by_stored_value(x, outputs[0], kernels.absolute),)


@dataclass(frozen=True)
class Neg(Unary):
    """LiteRT negates stored integers whatever they stand for: no kernel for quantised ones."""

    kind = "neg"
    function = np.negative
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Exp(Tabulated):
    kind = "exp"
    function = np.exp

    def table_function(self, output: Tensor) -> functions.Function:
        return functions.exp32


@dataclass(frozen=True)
class Log(Tabulated):
    kind = "log"
    function = np.log

    def table_function(self, output: Tensor) -> functions.Function:
        bottom, _ = functions.real_range(output)
        return functions.log_or(bottom)


@dataclass(frozen=True)
class Sqrt(Unary):
    kind = "sqrt"
    function = np.sqrt

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        return (kernels.by_stored_value(x, outputs[0], kernels.square_root),)


@dataclass(frozen=True)
class Rsqrt(Tabulated):
    kind = "rsqrt"

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (np.asarray(1 / np.sqrt(x), dtype=x.dtype),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        (output,) = outputs
        if output.dtype == "int8":
            return (kernels.by_stored_value(x, output, kernels.inverse_square_root),)
        kernels.require_not_negative(x, output, "inverse square root")
        return super().evaluate_integer(inputs, outputs)

    def table_function(self, output: Tensor) -> functions.Function:
        _, top = functions.real_range(output)
        return functions.inverse_square_root_or(top)


@dataclass(frozen=True)
class Square(Unary):
    kind = "square"
    function = np.square
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Sin(Unary):
    kind = "sin"
    function = np.sin
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Cos(Unary):
    kind = "cos"
    function = np.cos
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Floor(Unary):
    kind = "floor"
    function = np.floor
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Ceil(Unary):
    kind = "ceil"
    function = np.ceil
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Round(Unary):
    """To the nearest integer, ties to even."""

    kind = "round"
    function = np.rint
    integer_dtypes = FLOAT_ONLY


@dataclass(frozen=True)
class Sign(Unary):
    kind = "sign"
    function = np.sign
    integer_dtypes = FLOAT_ONLY
