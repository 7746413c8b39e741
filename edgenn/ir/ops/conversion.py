"""Changes of representation: dtype, and between real numbers and integers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgenn.ir.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from edgenn.ir.operator import Activation, IntegerInput, Operator, OutputRule, TensorType
from edgenn.ir.ops.integer import stored
from edgenn.ir.tensor import Array, Tensor

BORDER_DTYPES: frozenset[str] = frozenset({"int8", "uint8", "int16"})
"""What quantisation converts from and to; uint8 stands at the border of a model only."""


@dataclass(frozen=True)
class Cast(Operator):
    """The same numbers in another dtype.

    Attributes:
        stored: Of a quantised tensor the integers are meant, not what they stand for.
    """

    kind = "cast"
    output_rule = OutputRule.NONE
    integer_dtypes = frozenset()

    dtype: str = "float32"
    stored: bool = False

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape, self.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (x.astype(self.dtype),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        if not self.stored:
            raise NotImplementedError("cast of real numbers has no integer evaluation")
        return self.evaluate([x.values for x in inputs])


@dataclass(frozen=True)
class Quantize(Operator):
    """Real numbers to integers, or integers of one scale to another (a requantisation).

    The parameters are those of the output tensor.
    """

    kind = "quantize"
    integer_dtypes = BORDER_DTYPES
    evaluates_uint8 = True

    dtype: str = "int8"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape, self.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        raise TypeError("quantize makes integers: it has no float evaluation")

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        (output,) = outputs
        assert output.quantization is not None
        if x.quantization is None:
            return (output.quantization.quantize(x.values, output.dtype),)
        ratio = np.float64(x.scale) / np.float64(output.quantization.scale[0])
        offset = x.values.astype(np.int64) - x.zero_point
        steps = multiply_by_quantized_multiplier(offset, *quantize_multiplier(ratio))
        return (stored(steps, output, Activation.NONE),)


@dataclass(frozen=True)
class Dequantize(Operator):
    """Integers to the real numbers they stand for; also float16 constants to float32."""

    kind = "dequantize"
    output_rule = OutputRule.NONE
    integer_dtypes = BORDER_DTYPES
    evaluates_uint8 = True

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape, "float32"),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        (x,) = inputs
        return (x.astype("float32"),)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        (x,) = inputs
        assert x.quantization is not None
        return (x.quantization.dequantize(x.values),)
