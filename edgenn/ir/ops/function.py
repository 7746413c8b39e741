"""A function of one real number that is made of several operators, as one operator.

Full-integer int8 graphs look such a function up in a table of 256 entries: whatever it is made
of, its result is rounded once. In float it is what its steps compute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edgenn.ir.graph import Op
from edgenn.ir.operator import IntegerInput, Operator, TensorType
from edgenn.ir.ops.elementwise import INT8_ONLY
from edgenn.ir.tensor import INTEGER_RANGES, Array, Quantization, Tensor

STORED: Final = np.arange(INTEGER_RANGES["int8"][0], INTEGER_RANGES["int8"][1] + 1)
"""Every stored int8 value, in the order of a table's entries."""


@dataclass(frozen=True)
class Scalar:
    """A constant operand of a step."""

    value: float
    dtype: str = "float32"


Operand = int | Scalar
"""0 is the function's input, n the result of step n (counted from 1)."""


@dataclass(frozen=True)
class Step:
    """One operator of the function."""

    operator: Operator
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class ElementwiseFunction(Operator):
    """Input: x. Output: the result of the last step, element by element.

    The output is real, or a condition or an index (``bool``, ``int32`` …), which is not quantised.
    """

    kind = "elementwise_function"
    integer_dtypes = INT8_ONLY

    steps: tuple[Step, ...] = ()

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        values = [x]
        for step in self.steps:
            operands = [
                values[o] if isinstance(o, int) else Tensor("", (), o.dtype) for o in step.operands
            ]
            (type_,) = step.operator.infer(operands)
            values.append(Tensor("", type_.shape, type_.dtype))
        return (TensorType(x.shape, values[-1].dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """In the precision of the input: float32, or float64 for a table."""
        (x,) = inputs
        values = [x]
        for step in self.steps:
            operands = [
                values[o] if isinstance(o, int) else scalar_array(o, x) for o in step.operands
            ]
            (result,) = step.operator.evaluate(operands)
            values.append(result)
        return (values[-1],)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        assert x.quantization is not None
        table = self.table(x.quantization, outputs[0])
        return (table[x.values.astype(np.int64) - STORED[0]],)

    def table(self, x: Quantization, output: Tensor) -> Array:
        """The stored outputs of the stored inputs -128 … 127.

        Where the function is not defined it continues with its nearest value: rounding may take
        an input over the edge of what is defined, 0.001 to 0 before a logarithm.
        """
        real = (STORED - x.zero_point[0]) * np.float64(x.scale[0])
        with np.errstate(all="ignore"):
            (y,) = self.evaluate([real])
        if output.quantization is None:
            return y.astype(output.dtype)
        low, high = output.quantization.dequantize(np.array(INTEGER_RANGES[output.dtype]))
        return output.quantization.quantize(np.clip(continued(y), low, high), output.dtype)

    def written_out(self, op: Op, tensors: dict[str, Tensor]) -> list[Op]:
        """The ops that compute in float what ``op`` does; their tensors enter ``tensors``."""
        values = [op.inputs[0]]
        ops = []
        for number, step in enumerate(self.steps, 1):
            operands = [
                values[o] if isinstance(o, int) else scalar_constant(o, op.output, tensors)
                for o in step.operands
            ]
            if number == len(self.steps):
                output = op.output
            else:
                (type_,) = step.operator.infer([tensors[name] for name in operands])
                output = unused(f"{op.output}/{step.operator.kind}", tensors)
                tensors[output] = Tensor(output, type_.shape, type_.dtype)
            ops.append(Op(output, step.operator, tuple(operands), (output,)))
            values.append(output)
        return ops


def scalar_array(scalar: Scalar, x: Array) -> Array:
    """The constant, in the precision that the function is evaluated in."""
    return np.asarray(scalar.value, x.dtype if scalar.dtype == "float32" else scalar.dtype)


def scalar_constant(scalar: Scalar, owner: str, tensors: dict[str, Tensor]) -> str:
    name = unused(f"{owner}/constant", tensors)
    tensors[name] = Tensor.constant(name, np.asarray(scalar.value, scalar.dtype))
    return name


def unused(name: str, tensors: dict[str, Tensor]) -> str:
    """``name``, or ``name_1``, ``name_2`` … where it is taken."""
    candidate, number = name, 0
    while candidate in tensors:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def continued(values: Array) -> Array:
    """``values`` with the nearest number in place of each NaN; 0 where there is none."""
    numbers = np.flatnonzero(~np.isnan(values))
    if not numbers.size:
        return np.zeros_like(values)
    nearest = np.abs(np.arange(values.size)[:, None] - numbers).argmin(axis=1)
    return np.asarray(values[numbers[nearest]])
