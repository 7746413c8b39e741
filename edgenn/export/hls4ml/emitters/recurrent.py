"""LSTM and GRU: hls4ml's own layers, which run one step after the other."""

from dataclasses import dataclass
from typing import Final

from edgenn.export.hls4ml.context import Context
from edgenn.export.hls4ml.precision import Product, exact_type, product, type_of
from edgenn.export.hls4ml.registry import emitter, refused
from edgenn.export.hls4ml.tables import table
from edgenn.ir.fixed_format import FixedFormat
from edgenn.ir.graph import Op
from edgenn.ir.ops import Gru, Lstm

ACTIVATIONS: Final = ("sigmoid", "tanh", "relu")
"""What hls4ml's cells compute (``nnet_recr_activations.h``)."""

LSTM_WIDTH: Final = 27
"""Bits of what an LSTM multiplies and sums up, as many as a DSP48E2's multiplier takes.

hls4ml 1.3 calls one function with inputs, with states and for sums (``nnet::lstm``): its C++ only
compiles where all three have one type.
"""


@emitter(Lstm, Gru)
def recurrent(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, Lstm | Gru)
    require_plain(op, context, operator)
    sequence, last = op.outputs[:2]
    stacked = is_read(context, sequence)
    output = sequence if stacked else last
    weights = Weights.of(op, context, context.format(output))
    if isinstance(operator, Lstm):
        add_lstm(op, context, weights, output, stacked)
    else:
        types = {"accum": exact_type(weights.sums)}
        add(op, context, weights, op.inputs[0], output, stacked, types)
    if stacked and is_read(context, last):
        last_step(context, sequence, last)


def require_plain(op: Op, context: Context, operator: Lstm | Gru) -> None:
    """Raises UnsupportedError for what hls4ml's layers leave out."""
    for name in (operator.activation.name, operator.recurrent_activation.name):
        if name not in ACTIVATIONS:
            raise refused(op, f"hls4ml's cells have {', '.join(ACTIVATIONS)}, not {name}")
    if operator.reverse:
        raise refused(op, "hls4ml runs no single layer from the last step to the first")
    if operator.initial:
        raise refused(op, "hls4ml's layers begin with zeros")
    if operator.masked:
        raise refused(op, "hls4ml's layers take no mask")
    if isinstance(operator, Gru) and not operator.reset_after:
        raise refused(op, "hls4ml computes a GRU with reset_after=True only")
    if any(is_read(context, name) for name in op.outputs[2:]):
        raise refused(op, "hls4ml does not give out an LSTM's cell state")
    for name in op.inputs[1:]:
        if not context.tensor(name).is_constant:
            raise refused(op, f"hls4ml's weights are constants; {name} is computed")


def is_read(context: Context, name: str) -> bool:
    return bool(context.graph.consumers[name]) or context.graph.is_output(name)


@dataclass(frozen=True)
class Weights:
    """Of both products of a step.

    Attributes:
        sums: Holds what both add up to.
    """

    inputs: Product
    states: Product
    sums: FixedFormat

    @classmethod
    def of(cls, op: Op, context: Context, state: FixedFormat) -> "Weights":
        x, kernel, recurrent_kernel, bias, *recurrent_bias = op.inputs
        inputs = product(context.format(x), context.data(kernel).T, context.data(bias))
        second = context.data(recurrent_bias[0]) if recurrent_bias else None
        states = product(state, context.data(recurrent_kernel).T, second)
        parts = (inputs.accumulator, states.accumulator)
        integer = max(part.integer for part in parts) + 1
        fraction = max(part.fraction for part in parts)
        return cls(inputs, states, FixedFormat(integer + fraction, integer))


def add_lstm(op: Op, context: Context, weights: Weights, output: str, stacked: bool) -> None:
    """The layer in its one type, and conversions from and to the types around it."""
    x, form = op.inputs[0], context.format(output)
    integer = max(weights.sums.integer, form.integer, context.format(x).integer)
    wide = FixedFormat(LSTM_WIDTH, integer)
    widened, states = f"{output}/inputs", f"{output}/states"
    context.convert(x, widened, wide)
    context.set_format(states, wide)
    add(op, context, weights, widened, states, stacked, {"accum": type_of(wide)})
    context.convert(states, output, form)


def add(
    op: Op,
    context: Context,
    weights: Weights,
    x: str,
    output: str,
    stacked: bool,
    types: dict[str, str],
) -> None:
    operator = op.operator
    assert isinstance(operator, Lstm | Gru)
    steps, features = context.shape(op.inputs[0])
    context.add(
        type(operator).__name__.upper(),
        [x],
        output,
        {
            "n_timesteps": steps,
            "n_in": features,
            "n_out": operator.units,
            "activation": operator.activation.name,
            "recurrent_activation": operator.recurrent_activation.name,
            "return_sequences": stacked,
            "return_state": False,
            "time_major": False,
            "direction": "forward",
            "apply_reset_gate": "after",
        },
        weights={
            "weight_data": weights.inputs.weight,
            "bias_data": weights.inputs.bias,
            "recurrent_weight_data": weights.states.weight,
            "recurrent_bias_data": weights.states.bias,
        },
        precision={
            "weight": exact_type(weights.inputs.weight_format),
            "recurrent_weight": exact_type(weights.states.weight_format),
            "bias": exact_type(weights.inputs.accumulator),
            "recurrent_bias": exact_type(weights.states.accumulator),
            **types,
        },
        settings=table(FixedFormat(1, 1)),
    )


def last_step(context: Context, sequence: str, last: str) -> None:
    """The last step of a sequence that is wanted as a whole, too."""
    steps, units = context.shape(sequence)
    cropped = f"{last}/cropped"
    attributes = {
        "in_width": steps,
        "out_width": 1,
        "n_chan": units,
        "crop_left": steps - 1,
        "crop_right": 0,
        "data_format": "channels_last",
    }
    context.add("Cropping1D", [sequence], cropped, attributes, form=context.format(sequence))
    context.reshape(cropped, last)
