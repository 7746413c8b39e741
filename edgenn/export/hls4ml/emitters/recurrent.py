"""LSTM and GRU: hls4ml's own layers, which run one step after the other."""

from edgenn.export.hls4ml.bidirectional import pair_of
from edgenn.export.hls4ml.cells import LSTM_WIDTH, Weights, require_plain
from edgenn.export.hls4ml.context import Context
from edgenn.export.hls4ml.precision import exact_type, type_of
from edgenn.export.hls4ml.registry import emitter, refused
from edgenn.export.hls4ml.tables import table
from edgenn.ir.fixed_format import FixedFormat
from edgenn.ir.graph import Op
from edgenn.ir.ops import Gru, Lstm


@emitter(Lstm, Gru)
def recurrent(op: Op, context: Context) -> None:
    operator = op.operator
    assert isinstance(operator, Lstm | Gru)
    require_plain(op, context)
    if pair_of(op, context.graph) is not None:
        return  # the concatenation that both directions meet in is the layer
    if operator.reverse:
        raise refused(op, "hls4ml runs from the last step to the first only beside the other way")
    sequence, last = op.outputs[:2]
    stacked = context.is_read(sequence)
    output = sequence if stacked else last
    weights = Weights.of(op, context, context.format(output))
    if isinstance(operator, Lstm):
        add_lstm(op, context, weights, output, stacked)
    else:
        types = {"accum": exact_type(weights.sums)}
        add(op, context, weights, op.inputs[0], output, stacked, types)
    if stacked and context.is_read(last):
        last_step(context, sequence, last)


def add_lstm(op: Op, context: Context, weights: Weights, output: str, stacked: bool) -> None:
    """The layer, and conversions from and to the types around it.

    hls4ml 1.3 calls one function with inputs, with states and for sums (``nnet::lstm``): its C++
    only compiles where all three have one type.
    """
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
        weights=weights.arrays(),
        precision={**weights.types(), **types},
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
