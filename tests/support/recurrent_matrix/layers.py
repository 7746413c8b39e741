"""The recurrent layers of the matrix."""

from typing import Any

import keras
from support.recurrent_matrix.cells import ACTIVATIONS, GATES, MixingCell
from support.recurrent_matrix.factors import CONVOLUTIONAL, PARTNERS, Case

layers = keras.layers

UNITS, OTHER_UNITS = 16, 12
"""Of a layer; of the lower of two stacked cells, and of a layer that follows.

Enough that their weights are worth int8 beside float activations.
"""
FILTERS = 6

State = tuple[int, ...]
"""The sizes of a state without the batch."""


def recurrent_layer(case: Case) -> Any:
    """The layer that the case is about, called ``tested``."""
    forward = one_direction(case, case.layer, backwards=case.backwards, name="tested")
    if case.direction == "one":
        return forward
    if case.direction != "different":
        mode = None if case.direction == "both" else case.direction
        backward = one_direction(case, case.layer, backwards=not case.backwards, name="backward")
        return layers.Bidirectional(
            forward, merge_mode=mode, backward_layer=backward, name="tested"
        )
    partner = one_direction(
        case, PARTNERS[case.layer], backwards=not case.backwards, name="partner", window=1
    )
    return layers.Bidirectional(forward, backward_layer=partner, name="tested")


def one_direction(case: Case, kind: str, *, backwards: bool, name: str, window: int = 3) -> Any:
    """A layer with the options of the case.

    Args:
        window: Of a ConvLSTM's kernel.
    """
    options = {
        "return_sequences": case.sequences,
        "return_state": case.state,
        "go_backwards": backwards,
        "stateful": case.stateful,
        "zero_output_for_mask": case.zeroed,
        "name": name,
    }
    if case.unroll:
        options["unroll"] = True
    functions: dict[str, Any] = {
        "activation": ACTIVATIONS.get(case.activation, case.activation),
        "use_bias": case.bias,
    }
    if kind != "simple_rnn":
        functions["recurrent_activation"] = GATES.get(case.gate, case.gate)
    if kind in CONVOLUTIONAL:
        make = layers.ConvLSTM1D if kind == "conv_lstm_1d" else layers.ConvLSTM2D
        return make(FILTERS, window, padding="same", **functions, **options)
    if kind.startswith("rnn_"):
        return layers.RNN(cell(kind, functions), **options)
    return NAMED[kind](UNITS, **functions, **options)


def cell(kind: str, functions: dict[str, Any]) -> Any:
    """A cell, or two of different kinds one above the other."""
    match kind:
        case "rnn_lstm_cell":
            return layers.LSTMCell(UNITS, **functions)
        case "rnn_gru_cell":
            return layers.GRUCell(UNITS, **functions)
        case "rnn_custom_cell":
            return MixingCell(UNITS, **functions)
        case "rnn_stacked_cells":
            return layers.StackedRNNCells(
                [layers.GRUCell(OTHER_UNITS, **functions), layers.LSTMCell(UNITS, **functions)]
            )
        case _:
            raise NotImplementedError(kind)


def reset_before(units: int, **options: Any) -> Any:
    return layers.GRU(units, reset_after=False, **options)


NAMED = {
    "lstm": layers.LSTM,
    "gru": layers.GRU,
    "gru_reset_before": reset_before,
    "simple_rnn": layers.SimpleRNN,
}


def another_layer(case: Case, after: Any) -> Any:
    """A second recurrent layer on the outputs of all steps."""
    if case.is_convolutional:
        rank = {4: layers.ConvLSTM1D, 5: layers.ConvLSTM2D}[len(after.shape)]
        return rank(FILTERS, 3, padding="same", name="second")
    kind = layers.LSTM if case.layer in ("lstm", "rnn_lstm_cell") else layers.GRU
    return kind(OTHER_UNITS, name="second")


def states_of(kind: str, sizes: State) -> list[Any]:
    """The sizes of a layer's states, structured as Keras takes them.

    Args:
        sizes: Of one step of the layer's input.
    """
    state: State = (*sizes[:-1], FILTERS) if kind in CONVOLUTIONAL else (UNITS,)
    if kind == "rnn_stacked_cells":
        return [[(OTHER_UNITS,)], [state, state]]
    return [state, state] if kind in (*CONVOLUTIONAL, "lstm", "rnn_lstm_cell") else [state]


def initial_states(case: Case, sizes: State) -> list[Any]:
    """The sizes of the states that the layer of the case takes."""
    own = states_of(case.layer, sizes)
    if case.direction == "one":
        return own
    other = PARTNERS[case.layer] if case.direction == "different" else case.layer
    return own + states_of(other, sizes)
