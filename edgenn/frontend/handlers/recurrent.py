"""Layers that run a cell over time."""

import functools
from collections.abc import Callable
from typing import Any

from edgenn.frontend.compose import time
from edgenn.frontend.compose.scan import Run, Steps
from edgenn.frontend.context import Context, as_array
from edgenn.frontend.handlers import cells, conv_lstm
from edgenn.frontend.handlers.running import run, run_operator
from edgenn.frontend.keras_import import keras
from edgenn.frontend.recording import is_of_keras
from edgenn.frontend.registry import handler, register_table

layers = keras.layers

STATEFUL = "stateful"
"""Key of ``Graph.metadata``: paths of the layers whose states Keras keeps from call to call.
Their states begin at zero in the graph."""


def named_layer(
    make: cells.Make,
    context: Context,
    layer: Any,
    sequences: str,
    initial_state: Any = None,
    mask: Any = None,
) -> Any:
    """All options; any activation."""
    return recurrent(
        context, layer, sequences, initial_state, mask, functools.partial(run_operator, make)
    )


register_table(
    named_layer,
    {layers.GRU: cells.gru, layers.LSTM: cells.lstm, layers.SimpleRNN: cells.simple_rnn},
)


@handler(layers.RNN)
def rnn(
    context: Context, layer: Any, sequences: str, initial_state: Any = None, mask: Any = None
) -> Any:
    """Cells of Keras are its layers, any other cell is traced; stacks of them."""
    return recurrent(context, layer, sequences, initial_state, mask, run)


@handler(layers.ConvLSTM1D, layers.ConvLSTM2D)
def convolutional_lstm(
    context: Context, layer: Any, sequences: str, initial_state: Any = None, mask: Any = None
) -> Any:
    """All options, both data formats."""
    return recurrent(context, layer, sequences, initial_state, mask, conv_lstm.run_loop)


def recurrent(
    context: Context,
    layer: Any,
    x: str,
    initial_state: Any,
    mask: Any,
    function: Callable[[Context, Any, Steps], Run],
) -> Any:
    """The layer's outputs, as many as it returns.

    Args:
        function: Runs its cell.
    """
    steps = prepared(context, layer, x, initial_state, time.as_mask(context, x, mask))
    output, final = finished(context, layer, steps, function(context, layer.cell, steps))
    if layer.return_sequences and layer.go_backwards:
        output = time.reversed_in_time(context, output)
    return [output, *final] if layer.return_state else output


def prepared(context: Context, layer: Any, x: str, initial_state: Any, mask: str | None) -> Steps:
    """What the layer's cell runs over."""
    check_methods(context, layer)
    if layer.stateful and initial_state is None:  # else no call reads what the one before left
        context.builder.metadata.setdefault(STATEFUL, []).append(context.path)
    return Steps(
        x,
        initial_states(context, layer, x, initial_state),
        mask=mask,
        zeroed=bool(layer.zero_output_for_mask) and not misplaces_zeros(layer),
        reverse=layer.go_backwards,
        stacked=layer.return_sequences,
    )


def check_methods(context: Context, layer: Any) -> None:
    """A layer that runs its cell in a way of its own is not ours to run."""
    if not is_of_keras(type(layer).inner_loop):
        raise context.unsupported(
            f"{type(layer).__name__} has an inner_loop of its own",
            "write what it does as the call of a cell, and run that with keras.layers.RNN",
        )


def initial_states(context: Context, layer: Any, x: str, given: Any) -> list[Any]:
    """Tensors or arrays in the structure that the cell is called with."""
    if given is None:
        batch = context.shape(x)[0] or 1
        try:
            given = layer.get_initial_state(batch_size=batch)
        except Exception as error:  # anything that a user's code may raise
            raise context.unsupported(
                f"get_initial_state of {type(layer.cell).__name__} fails: {error}",
                "let it return arrays for the batch size that it is given",
            ) from error
    states = list(given) if keras.tree.is_nested(given) else [given]
    return list(
        keras.tree.map_structure(lambda s: s if isinstance(s, str) else as_array(s), states)
    )


def finished(context: Context, layer: Any, steps: Steps, result: Run) -> tuple[str, list[str]]:
    """The output as Keras has it at masked steps, a sequence in input order; the final states."""
    mask, output = steps.mask, result.sequence if steps.stacked else result.last
    assert output is not None
    if mask is None:
        return output, result.final
    if result.unstarted and steps.stacked:
        output = time.where(context, time.started(context, mask, steps.reverse), output)
    elif result.unstarted:
        output = time.where(context, time.any_step(context, mask), output)
    if layer.zero_output_for_mask and not steps.stacked:
        output = time.where(context, time.at_end(context, mask, steps.reverse), output)
    elif layer.zero_output_for_mask and misplaces_zeros(layer):
        output = time.where(context, time.reversed_in_time(context, mask), output)
    return output, result.final


def misplaces_zeros(layer: Any) -> bool:
    """Keras's unrolled loop, run backwards, puts zeros where the mask read forwards is false."""
    return bool(layer.unroll and layer.go_backwards and layer.return_sequences)
