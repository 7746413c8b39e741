"""What the models of the matrix are made of: every option of recurrent layers in Keras."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from support.recurrent_matrix.covering import Rule

CELLS = ("rnn_lstm_cell", "rnn_gru_cell", "rnn_custom_cell", "rnn_stacked_cells")
CONVOLUTIONAL = ("conv_lstm_1d", "conv_lstm_2d")

FACTORS: dict[str, tuple[Any, ...]] = {
    "layer": ("lstm", "gru", "gru_reset_before", "simple_rnn", *CELLS, *CONVOLUTIONAL),
    "direction": ("one", "concat", "sum", "ave", "mul", "both", "different"),
    "sequences": (False, True),
    "state": (False, True),
    "backwards": (False, True),
    "stateful": (False, True),
    "initial": ("zeros", "inputs", "computed"),
    "activation": ("tanh", "relu", "softsign", "custom"),
    "gate": ("sigmoid", "hard_sigmoid", "custom"),
    "unroll": (False, True),
    "bias": (True, False),
    "mask": ("none", "masking", "embedding", "explicit"),
    "zeroed": (False, True),
    "batch": ("open", "fixed"),
    "length": ("open", "fixed"),
    "before": ("nothing", "conv", "dense", "cnn", "model"),
    "after": ("nothing", "dense", "recurrent", "pooling", "attention", "dense_per_step"),
}


@dataclass(frozen=True)
class Case:
    """A model, in words.

    Attributes:
        layer: The recurrent layer; a name that begins with ``rnn_`` is ``RNN`` around a cell.
        direction: ``one``; else ``Bidirectional`` with that merge mode, where ``both`` stands for
            ``None`` (both outputs) and ``different`` has a layer of another kind backwards.
        sequences: ``return_sequences``.
        state: ``return_state``.
        backwards: ``go_backwards``.
        initial: Initial states: zeros, inputs of the model, or computed from an input.
        gate: ``recurrent_activation``.
        mask: From ``Masking``, from ``Embedding(mask_zero=True)``, or an input of the model.
        zeroed: ``zero_output_for_mask``.
        before: ``conv`` is a Conv1D; ``dense``, ``cnn`` and ``model`` are TimeDistributed.
        after: ``recurrent`` is one more recurrent layer.
    """

    layer: str
    direction: str
    sequences: bool
    state: bool
    backwards: bool
    stateful: bool
    initial: str
    activation: str
    gate: str
    unroll: bool
    bias: bool
    mask: str
    zeroed: bool
    batch: str
    length: str
    before: str
    after: str

    @property
    def is_convolutional(self) -> bool:
        return self.layer in CONVOLUTIONAL

    @property
    def name(self) -> str:
        """The values that are not the first of their factor, for test ids."""
        words = [f"{self.layer}"]
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value != FACTORS[field.name][0]:
                words.append(field.name if value is True else f"{field.name}={value}")
        return ",".join(words)


PARTNERS = {
    "lstm": "gru",
    "gru": "simple_rnn",
    "gru_reset_before": "gru",
    "simple_rnn": "gru_reset_before",
    "rnn_lstm_cell": "lstm",
    "rnn_gru_cell": "rnn_custom_cell",
    "rnn_custom_cell": "gru",
    "rnn_stacked_cells": "rnn_lstm_cell",
    "conv_lstm_1d": "conv_lstm_1d",
    "conv_lstm_2d": "conv_lstm_2d",
}
"""The layer that runs backwards beside another; ConvLSTMs differ in their kernels."""

STATES = {"lstm": 2, "rnn_lstm_cell": 2, "rnn_stacked_cells": 3}
"""How many states a layer has that has more than one."""


def conv(layer: str) -> bool:
    return layer in CONVOLUTIONAL


def is_uneven(layer: str, direction: str) -> bool:
    """Whether both directions have different numbers of states."""
    return direction == "different" and STATES.get(layer, 1) != STATES.get(PARTNERS[layer], 1)


RULES: Sequence[Rule] = (
    Rule(
        "a SimpleRNN has no recurrent activation",
        ("layer", "gate"),
        lambda layer, gate: layer == "simple_rnn" and gate != "sigmoid",
        refused=False,
    ),
    Rule(
        "words are no images",
        ("before", "mask"),
        lambda before, mask: before == "cnn" and mask == "embedding",
        refused=False,
    ),
    Rule(
        "a layer keeps its state for a known batch",
        ("stateful", "batch"),
        lambda stateful, batch: stateful and batch == "open",
    ),
    Rule(
        "Masking and Embedding give no mask of steps over images",
        ("layer", "mask"),
        lambda layer, mask: conv(layer) and mask in ("masking", "embedding"),
    ),
    Rule(
        "Masking gives no mask of steps over images",
        ("before", "mask"),
        lambda before, mask: before == "cnn" and mask == "masking",
    ),
    Rule(
        "a Conv1D takes no images",
        ("layer", "before"),
        lambda layer, before: conv(layer) and before == "conv",
    ),
    Rule(
        "nothing over time follows the last output",
        ("sequences", "after"),
        lambda on, after: (
            not on and after in ("recurrent", "pooling", "attention", "dense_per_step")
        ),
    ),
    Rule(
        "Keras 3.15 fails to give the masks of these states (Bidirectional.compute_mask)",
        ("direction", "state", "stateful"),
        lambda direction, state, stateful: direction != "one" and state and stateful,
    ),
    Rule(
        "Keras 3.15 takes the states of the forward layer for those of both",
        ("layer", "direction", "state"),
        lambda layer, direction, state: state and is_uneven(layer, direction),
    ),
    Rule(
        "Keras gives either direction half of a list of states",
        ("layer", "direction", "initial"),
        lambda layer, direction, initial: (
            initial != "zeros" and layer == "lstm" and direction == "different"
        ),
    ),
)
