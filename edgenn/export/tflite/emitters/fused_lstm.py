"""An LSTM as one op.

The layout of its 24 inputs and 5 intermediates: LiteRT ``kernels/lstm_shared.h`` and
``kernels/unidirectional_sequence_lstm.cc``.
"""

from ai_edge_litert import schema_py_generated as schema

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.builtins import require_integer_kernel
from edgenn.export.tflite.context import Context
from edgenn.export.tflite.registry import emitter
from edgenn.export.tflite.stateful import (
    add_intermediates,
    carrier,
    rows_of_one_sample,
    variable,
)
from edgenn.ir.graph import Op
from edgenn.ir.operator import InputRounding
from edgenn.ir.ops.fused_lstm import GATES, FusedLstm, LstmActivation
from edgenn.ir.tensor import Quantization

ABSENT = -1
ACTIVATIONS: dict[LstmActivation, int] = {
    LstmActivation.TANH: schema.ActivationFunctionType.TANH,
    LstmActivation.RELU: schema.ActivationFunctionType.RELU,
    LstmActivation.RELU6: schema.ActivationFunctionType.RELU6,
}


@emitter(FusedLstm)
def fused_lstm(op: Op, context: Context) -> None:
    lstm = op.operator
    assert isinstance(lstm, FusedLstm)
    require_integer_kernel(op, context)
    require_tanh_in_integers(op, context)
    require_scale_per_matrix(op, context)
    x, *weights = context.indices(op.inputs)
    kernels, biases = weights[:8], weights[8:]
    peepholes, projection, layer_norms = [ABSENT] * 3, [ABSENT] * 2, [ABSENT] * 4
    states = state_variables(op, context)
    inputs = [x, *kernels, *peepholes, *biases, *projection, *states, *layer_norms]

    options = schema.UnidirectionalSequenceLSTMOptionsT()
    options.fusedActivationFunction = ACTIVATIONS[lstm.activation]
    options.cellClip = lstm.cell_clip
    dtypes = [context.tensor(name).dtype for name in op.inputs[:2]]
    options.asymmetricQuantizeInputs = (
        dtypes == ["float32", "int8"] and lstm.input_rounding is not InputRounding.SYMMETRIC
    )
    context.emit("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, context.indices(op.outputs), options)
    if dtypes[0] == "int8":
        add_intermediates(hidden_parameters(op, context), context)


def state_variables(op: Op, context: Context) -> list[int]:
    """The output that becomes an input, and the cell state."""
    output = context.tensor(op.output)
    shape = (output.shape[0], output.shape[2])
    rows = rows_of_one_sample(op.output, context)
    name = f"{op.output}/hidden_state"
    hidden = variable(name, shape, output.dtype, context, output.quantization, rows)
    name = f"{op.output}/cell_state"
    if output.quantization is None:
        return [hidden, variable(name, shape, "float32", context, None, rows)]
    assert isinstance(op.operator, FusedLstm)
    steps = Quantization.per_tensor(2.0**op.operator.cell_exponent)
    return [hidden, variable(name, shape, "int16", context, steps, rows)]


def hidden_parameters(op: Op, context: Context) -> list[int]:
    """The intermediates: of five the kernel reads the last, which is the output unprojected."""
    unread = [carrier(f"{op.output}/{gate}_intermediate", "float32", context) for gate in GATES]
    parameters = context.tensor(op.output).quantization
    return [*unread, carrier(f"{op.output}/hidden_intermediate", "int8", context, parameters)]


def require_tanh_in_integers(op: Op, context: Context) -> None:
    """The integer kernel computes tanh whatever the file says."""
    assert isinstance(op.operator, FusedLstm)
    activation = op.operator.activation
    if context.tensor(op.output).quantization is None or activation is LstmActivation.TANH:
        return
    raise UnsupportedError(
        f"{op.name}: LiteRT has no integer kernel for an LSTM with {activation}",
        hint="write this layer as a loop, or keep it in float",
    )


def require_scale_per_matrix(op: Op, context: Context) -> None:
    """The kernel reads one scale of each weight matrix, without looking how many there are."""
    for name in op.inputs[1:9]:
        quantization = context.tensor(name).quantization
        if quantization is not None and len(quantization.scale) > 1:
            raise UnsupportedError(
                f"{op.name}: {name} has scales per channel, LiteRT's LSTM takes one scale a matrix",
                hint="quantise the weights per tensor",
            )
