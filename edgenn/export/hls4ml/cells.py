"""What LSTMs and GRUs have in common in hls4ml, alone or in pairs of both directions."""

from dataclasses import dataclass
from typing import Final

from edgenn.export.hls4ml.context import Context
from edgenn.export.hls4ml.precision import Product, exact_type, product
from edgenn.export.hls4ml.registry import refused
from edgenn.ir.fixed_format import FixedFormat
from edgenn.ir.graph import Op
from edgenn.ir.ops import Gru, Lstm
from edgenn.ir.tensor import Array

ACTIVATIONS: Final = ("sigmoid", "tanh", "relu")
"""What hls4ml's cells compute (``nnet_recr_activations.h``)."""

LSTM_WIDTH: Final = 27
"""Bits of an LSTM's states, as many as a DSP48E2's multiplier takes. hls4ml keeps h, which is below
1, and c, which is not, in one type."""

GATE: Final = FixedFormat(18, 2)
"""Of what comes out of the tables: 1 is among it."""


def require_plain(op: Op, context: Context) -> None:
    """Raises UnsupportedError for what hls4ml's cells leave out, whatever their direction."""
    operator = op.operator
    assert isinstance(operator, Lstm | Gru)
    for name in (operator.activation.name, operator.recurrent_activation.name):
        if name not in ACTIVATIONS:
            raise refused(op, f"hls4ml's cells have {', '.join(ACTIVATIONS)}, not {name}")
    if operator.initial:
        raise refused(op, "hls4ml's layers begin with zeros")
    if operator.masked:
        raise refused(op, "hls4ml's layers take no mask")
    if isinstance(operator, Gru) and not operator.reset_after:
        raise refused(op, "hls4ml computes a GRU with reset_after=True only")
    if any(context.is_read(name) for name in op.outputs[2:]):
        raise refused(op, "hls4ml does not give out an LSTM's cell state")
    for name in op.inputs[1:]:
        if not context.tensor(name).is_constant:
            raise refused(op, f"hls4ml's weights are constants; {name} is computed")


@dataclass(frozen=True)
class Weights:
    """Of both products of a step.

    Attributes:
        sums: Holds what both add up to, and also what hls4ml puts into the same type: gates and
            activated states.
    """

    inputs: Product
    states: Product
    sums: FixedFormat

    @classmethod
    def of(cls, op: Op, context: Context, state: FixedFormat) -> "Weights":
        """The weights of a layer whose states have a format."""
        x, kernel, recurrent_kernel, bias, *recurrent_bias = op.inputs
        inputs = product(context.format(x), context.data(kernel).T, context.data(bias))
        second = context.data(recurrent_bias[0]) if recurrent_bias else None
        states = product(state, context.data(recurrent_kernel).T, second)
        parts = (inputs.accumulator, states.accumulator)
        integer = max(GATE.integer, state.integer, *(part.integer + 1 for part in parts))
        fraction = max(GATE.fraction, *(part.fraction for part in parts))
        return cls(inputs, states, FixedFormat(integer + fraction, integer))

    def arrays(self, prefix: str = "") -> dict[str, Array | None]:
        """As hls4ml calls them."""
        return {
            f"{prefix}weight_data": self.inputs.weight,
            f"{prefix}bias_data": self.inputs.bias,
            f"{prefix}recurrent_weight_data": self.states.weight,
            f"{prefix}recurrent_bias_data": self.states.bias,
        }

    def types(self, prefix: str = "") -> dict[str, str]:
        return {
            f"{prefix}weight": exact_type(self.inputs.weight_format),
            f"{prefix}bias": exact_type(self.inputs.accumulator),
            f"{prefix}recurrent_weight": exact_type(self.states.weight_format),
            f"{prefix}recurrent_bias": exact_type(self.states.accumulator),
        }
