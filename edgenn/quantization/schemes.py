"""The quantisation schemes a model can be written in."""

from dataclasses import dataclass
from enum import StrEnum

from edgenn.errors import UsageError


class Scheme(StrEnum):
    """What is stored in which precision."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    """Weights in float16, computation in float32."""
    DYNAMIC = "dynamic"
    """Weights in int8 per channel, activations in float32."""
    INT8 = "int8"
    """Full integer: weights int8 per channel, activations int8, bias int32."""
    INT16X8 = "int16x8"
    """Full integer: weights int8 per channel, activations int16 symmetric, bias int64."""

    FIXED16 = "fixed16"
    """Fixed-point numbers of 16 bits, for programmable logic: only hls4ml files hold it."""

    @property
    def is_full_integer(self) -> bool:
        return self in INTEGER_FORMATS

    @property
    def is_quantized(self) -> bool:
        """Whether some layers can stay in float32 while others do not."""
        return self not in (Scheme.FLOAT32, Scheme.FIXED16)

    @property
    def learns_from_samples(self) -> bool:
        """Whether calibration data make a difference."""
        return self.is_full_integer or self is Scheme.FIXED16


@dataclass(frozen=True)
class IntegerFormat:
    """The dtypes of a full-integer scheme.

    Attributes:
        activation: dtype of activations.
        bias: dtype of biases, as TFLite's kernels accumulate.
        symmetric: Whether activations have zero point 0.
    """

    activation: str
    bias: str
    symmetric: bool


INTEGER_FORMATS: dict[Scheme, IntegerFormat] = {
    Scheme.INT8: IntegerFormat("int8", "int32", symmetric=False),
    Scheme.INT16X8: IntegerFormat("int16", "int64", symmetric=True),
}


class Gates(StrEnum):
    """The precision of gates, cells and states in a full-integer scheme."""

    FLOAT32 = "float32"
    """The products run in integers, the rest of a step in float."""
    INT16 = "int16"
    """All integers; gates and states have 16 bits."""
    INT8 = "int8"
    """All integers of 8 bits."""
    FUSED = "int8, cell int16"
    """What TFLite's fused LSTM has: no choice."""


def missing_calibration(scheme: Scheme) -> UsageError:
    """Why a full-integer scheme cannot do without samples."""
    return UsageError(
        f"{scheme} needs calibration data: integers only cover ranges that were seen",
        "give 100 or more typical samples with --calibration FILE",
    )
