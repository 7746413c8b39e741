"""The base class of every operator: what an op *is*, defined once.

An operator states its attributes (dataclass fields), its shape rule, how it is evaluated in
float and in integers, and what quantisation may do to it. Exporters, calibration, drift and
documentation all read it from here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np

from edgenn.ir.tensor import Array, Quantization, Shape, Tensor


class Activation(StrEnum):
    """Clamps that fuse into the op before them."""

    NONE = "none"
    RELU = "relu"
    RELU6 = "relu6"
    RELU_N1_TO_1 = "relu_n1_to_1"

    @property
    def bounds(self) -> tuple[float, float]:
        """Lower and upper real bound."""
        return {
            Activation.NONE: (-np.inf, np.inf),
            Activation.RELU: (0.0, np.inf),
            Activation.RELU6: (0.0, 6.0),
            Activation.RELU_N1_TO_1: (-1.0, 1.0),
        }[self]

    def apply(self, x: Array) -> Array:
        if self is Activation.NONE:
            return x
        low, high = self.bounds
        return np.clip(x, x.dtype.type(low), x.dtype.type(high))


class Padding(StrEnum):
    """Spatial padding, as TensorFlow defines it."""

    SAME = "same"
    VALID = "valid"


@dataclass(frozen=True)
class FixedOutput:
    """Output parameters that TFLite prescribes: ``(scale, zero_point)`` by dtype."""

    int8: tuple[float, int]
    int16: tuple[float, int]

    def for_dtype(self, dtype: str) -> Quantization:
        scale, zero_point = {"int8": self.int8, "int16": self.int16}[dtype]
        return Quantization.per_tensor(scale, zero_point)


class OutputRule(StrEnum):
    """Where the quantisation parameters of an op's outputs come from."""

    CALIBRATED = "calibrated"
    """From the observed range of the output."""
    SAME_AS_INPUT = "same as input"
    """The op moves or selects values: all data inputs and outputs share one scale."""
    NONE = "none"
    """The outputs are not real numbers (indices, booleans)."""


@dataclass(frozen=True)
class TensorType:
    """The static type of an output: what a shape rule computes."""

    shape: Shape
    dtype: str


@dataclass(frozen=True)
class IntegerInput:
    """An input of integer evaluation: the stored values and what they stand for."""

    values: Array
    quantization: Quantization | None

    @property
    def scale(self) -> float:
        assert self.quantization is not None
        return float(self.quantization.scale[0])

    @property
    def zero_point(self) -> int:
        assert self.quantization is not None
        return int(self.quantization.zero_point[0])

    def real(self) -> Array:
        """The values as the numbers they stand for."""
        return (
            self.values if self.quantization is None else self.quantization.dequantize(self.values)
        )


@dataclass(frozen=True)
class Operator:
    """One operation with its attributes; subclasses add fields and override the rules below.

    Class attributes:
        kind: The op's name in graphs, manifests and reports.
        output_rule: Where the outputs' quantisation comes from, or the fixed parameters.
        weight_axes: Input index → channel axis, for inputs that are weights when constant
            (int8, symmetric, per channel).
        bias_input: Index of the bias (int32 with scale ``input scale × weight scale``).
        data_inputs: Indices of the inputs that carry real numbers besides weights and bias;
            ``None`` means all.
        integer_dtypes: Activation dtypes for which TFLite has a full-integer kernel.
        evaluates_uint8: Whether integer evaluation holds for uint8 activations as well, which files
            of older converters have.
        mixed_precision: In a full-integer graph the op takes and gives real numbers and has
            integer weights: its products run in integers, the rest in float.
    """

    kind: ClassVar[str] = ""
    output_rule: ClassVar[OutputRule | FixedOutput] = OutputRule.CALIBRATED
    weight_axes: ClassVar[Mapping[int, int]] = {}
    bias_input: ClassVar[int | None] = None
    data_inputs: ClassVar[tuple[int, ...] | None] = None
    integer_dtypes: ClassVar[frozenset[str]] = frozenset({"int8", "int16"})
    evaluates_uint8: ClassVar[bool] = False
    mixed_precision: ClassVar[bool] = False

    registry: ClassVar[dict[str, type["Operator"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.kind:
            Operator.registry[cls.kind] = cls

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        """The types of the outputs.

        Raises:
            ShapeError: The inputs do not fit the operator.
        """
        raise NotImplementedError(f"{self.kind} has no shape rule")

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Float evaluation; arrays in, arrays out."""
        raise NotImplementedError(f"{self.kind} has no float evaluation")

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        """Integer evaluation, bit-exact with TFLite's reference kernels.

        Args:
            inputs: Stored integers with their quantisation.
            outputs: The output tensors: their dtype and quantisation are the target.
        """
        raise NotImplementedError(f"{self.kind} has no integer evaluation")

    def macs(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        """Multiply-accumulates for one sample; open dimensions count as 1."""
        return 0


class InputRounding(StrEnum):
    """What a product does to real activations before it multiplies them."""

    NONE = "none"
    """It multiplies real numbers."""
    SYMMETRIC = "symmetric"
    """255 steps around 0, as far as the largest magnitude of a row."""
    ASYMMETRIC = "asymmetric"
    """256 steps from the smallest value of a row to its largest, 0 among them."""


@dataclass(frozen=True)
class Hybrid(Operator):
    """An operator whose weights may be int8 where its activations are real.

    Attributes:
        input_rounding: What is then done to the activations.
    """

    input_rounding: InputRounding = field(default=InputRounding.NONE, kw_only=True)

    @property
    def rounds_inputs(self) -> bool:
        return self.input_rounding is not InputRounding.NONE

    def evaluate_hybrid(self, inputs: Sequence[IntegerInput]) -> tuple[Array, ...]:
        """Evaluation of real activations and stored int8 weights."""
        raise NotImplementedError(f"{self.kind} has no evaluation with int8 weights")


Observer = Callable[[str, int, Mapping[str, Array]], None]
"""Is told, step by step, what the tensors inside a loop hold: the loop's path, the number of the
step (of a ``Scan``: its place in the sequence) and tensor name → values. A loop within step 3 of
``outer`` has the path ``outer[3]/inner``."""


@dataclass(frozen=True)
class Loop(Operator):
    """An operator that runs graphs of its own, over and over, on values as they are stored."""

    integer_dtypes = frozenset()

    def run(
        self, inputs: Sequence[Array], path: str = "", observe: Observer | None = None
    ) -> tuple[Array, ...]:
        """Evaluation of the stored values.

        Args:
            path: The loop's, for the observer.
            observe: Is told what the loop's tensors hold.
        """
        raise NotImplementedError(f"{self.kind} has no evaluation")

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        return self.run(inputs)

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        """As exact as the operators of the loop's graphs, which are quantised themselves."""
        return self.run([x.values for x in inputs])


class ShapeError(ValueError):
    """Inputs that do not fit an operator: a bug in whoever built the graph."""
