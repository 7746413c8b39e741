"""LiteRT's integer LSTM kernel, bit for bit: int8 products, 16-bit gates and cell state.

Sources: LiteRT ``kernels/unidirectional_sequence_lstm.cc`` (how scales are combined),
``kernels/lstm_eval.cc`` (``LstmStepInteger8x8_16``) and
``kernels/internal/reference/portable_tensor_utils.cc``. TFLite Micro is a step of the output away
here and there: it interpolates sigmoid and tanh in a table, and saturates sums one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.fixed_point import (
    Ints,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
    wrap_int32,
)
from edgenn.ir.fixed_point_16 import (
    INT16_MAX,
    INT16_MIN,
    MAX_TANH_INTEGER_BITS,
    look_up,
    saturate_int16,
    sigmoid_table,
    tanh_table,
)
from edgenn.ir.operator import IntegerInput
from edgenn.ir.tensor import INTEGER_RANGES, Array, Quantization

GATE_SCALE = np.float32(2.0**-12)
"""Sums of a gate before its activation: Q3.12."""
CELL_EXPONENTS = range(-15, MAX_TANH_INTEGER_BITS - 15 + 1)
"""``n`` for cell states in steps of ``2**n``: those whose tanh the kernel has. [-1, 1) to
[-64, 64)."""

Multiplier = tuple[Ints, Ints]


@dataclass(frozen=True)
class Gate:
    """The weights of one gate: kernel ``(U, F)``, recurrent kernel ``(U, U)``, bias ``(U,)``.

    Int8 with one scale a matrix and no zero point; the bias is int32 with scale input × kernel.
    """

    kernel: IntegerInput
    recurrent: IntegerInput
    bias: IntegerInput


@dataclass(frozen=True)
class LstmScales:
    """What the integers of an LSTM stand for, besides weights.

    Attributes:
        hidden: Of the output and of the state that it becomes.
        cell_exponent: The cell state counts in steps of ``2**cell_exponent``.
        cell_clip: Bound of the cell state; 0 for none.
    """

    hidden: Quantization
    cell_exponent: int
    cell_clip: float = 0.0

    @property
    def zero_point(self) -> int:
        """Of the hidden state."""
        return int(self.hidden.zero_point[0])

    @cached_property
    def hidden_multiplier(self) -> Multiplier:
        """Products of two Q0.15 numbers to hidden steps."""
        real = np.float32(2.0**-15 / np.float64(self.hidden.scale[0]) * 2.0**-15)
        return quantize_multiplier(real)

    @cached_property
    def stored_clip(self) -> int:
        steps = np.float32(self.cell_clip) / np.float32(2.0**self.cell_exponent)
        return int(np.clip(steps, INT16_MIN, INT16_MAX))


def lstm(
    x: IntegerInput, gates: Sequence[Gate], scales: LstmScales
) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
    """Runs over a sequence, from states of zero.

    Args:
        x: int8, ``(B, T, F)``.
        gates: Input, forget, cell and output gate.

    Returns:
        The output, int8, and the cell state, int16, of every step: ``(B, T, U)``.
    """
    batch, steps = x.values.shape[:2]
    units = len(gates[0].bias.values)
    biases = [gate.bias.values.astype(np.int64) for gate in gates]
    project = Products([gate.kernel for gate in gates], x.scale, x.zero_point, biases)
    recur = Products([gate.recurrent for gate in gates], scales.hidden.scale[0], scales.zero_point)
    sums = saturate_int16(project(x.values))
    hidden = np.full((batch, units), scales.zero_point, np.int64)
    cell = np.zeros((batch, units), np.int64)
    sequence = np.empty((batch, steps, units), np.int8)
    cells = np.empty((batch, steps, units), np.int16)
    for t in range(steps):
        i, f, g, o = np.split(saturate_int16(sums[:, t] + recur(hidden)), 4, axis=-1)
        cell = next_cell(cell, sigmoid(i), sigmoid(f), tanh(g, 3), scales)
        hidden = next_hidden(cell, sigmoid(o), scales)
        sequence[:, t], cells[:, t] = hidden, cell
    return sequence, cells


class Products:
    """``weights · (x - zero_point) + bias`` of all gates, side by side, in Q3.12.

    Args:
        weights: One matrix a gate, each with its scale.
        scale: Of x.
        biases: One a gate, or none.
    """

    def __init__(
        self,
        weights: Sequence[IntegerInput],
        scale: float | np.float32,
        zero_point: int,
        biases: Sequence[Ints] = (),
    ) -> None:
        # float64 holds the sums exactly
        self.weights = np.concatenate([w.values for w in weights]).astype(np.float64).T
        self.zero_point = zero_point
        self.bias = np.concatenate(biases) if biases else np.int64(0)
        # the kernel combines the scales in float32
        real = [np.float32(w.scale) * np.float32(scale) / GATE_SCALE for w in weights]
        rows = [len(w.values) for w in weights]
        self.multiplier = quantize_multiplier(np.repeat(real, rows))

    def __call__(self, x: Array) -> Ints:
        products = (x.astype(np.float64) - self.zero_point) @ self.weights
        total = wrap_int32(products.astype(np.int64) + self.bias)
        return multiply_by_quantized_multiplier(total, *self.multiplier)


def sigmoid(sums: Ints) -> Ints:
    return look_up(sigmoid_table(), sums)


def tanh(numbers: Ints, integer_bits: int) -> Ints:
    return look_up(tanh_table(integer_bits), numbers)


def next_cell(cell: Ints, i: Ints, f: Ints, g: Ints, scales: LstmScales) -> Ints:
    """``f ⊙ cell + i ⊙ g``, saturated and clipped; the gates in Q0.15."""
    kept = rounding_divide_by_pot(f * cell, 15)
    added = rounding_divide_by_pot(i * g, 30 + scales.cell_exponent)
    result = saturate_int16(kept + added)
    clip = scales.stored_clip
    return np.clip(result, -clip, clip) if clip > 0 else result


def next_hidden(cell: Ints, o: Ints, scales: LstmScales) -> Ints:
    """``o ⊙ tanh(cell)`` as stored int8."""
    squashed = tanh(cell, 15 + scales.cell_exponent)
    steps = multiply_by_quantized_multiplier(o * squashed, *scales.hidden_multiplier)
    stored: Ints = np.clip(steps + scales.zero_point, *INTEGER_RANGES["int8"])
    return stored


def cell_exponent(reach: float) -> int:
    """The finest steps in which int16 holds cell states up to ``reach`` in magnitude.

    A power of two, as the kernel demands. Beyond 64 the cell state saturates, where its tanh has
    long been 1. A reach that is not finite is taken for the largest.
    """
    for exponent in CELL_EXPONENTS:
        if reach <= 2.0 ** (exponent + 15):
            return exponent
    return CELL_EXPONENTS[-1]
