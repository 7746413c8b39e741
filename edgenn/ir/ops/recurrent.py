"""Recurrent layers as one operator each: LSTM, GRU and the simple RNN.

They stay whole until a target's form is chosen (``lowering/recurrent``). What they compute is
said once, as the graph of one step (``cell``); evaluation runs that.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.operator import Operator, ShapeError, TensorType
from edgenn.ir.ops.cell import CellActivation, CellWriter, named_activation, rows
from edgenn.ir.ops.comparison import Select
from edgenn.ir.ops.elementwise import Add, Mul, Sub
from edgenn.ir.ops.matrix import FullyConnected
from edgenn.ir.ops.scan import TIME, Scan
from edgenn.ir.tensor import Array, Tensor


@dataclass(frozen=True)
class Recurrent(Operator):
    """What the recurrent operators share.

    Inputs: x ``(B, T, F)``; kernel ``(G·U, F)``; recurrent kernel ``(G·U, U)``; bias ``(G·U,)``;
    for a GRU also the recurrent bias ``(G·U,)``; the initial states ``(B, U)`` if ``initial``;
    the mask ``(B, T)`` of bool if ``masked``. G gates in Keras's order.

    Outputs: the sequence ``(B, T, U)``, then the final states ``(B, U)``.

    Where the mask is false the states stay as they are, and the output is the one of the step
    before (the initial state if there is none), or zeros if ``zero_output_for_mask``.

    Attributes:
        units: U.
        activation: Of the candidate (and, in an LSTM, of the cell state).
        initial: Whether initial states are given; zeros otherwise.
        masked: Whether a mask is given.
        reverse: From the last step to the first; the sequence stays in input order.
    """

    integer_dtypes = frozenset()
    mixed_precision = True
    weight_axes = {1: 0, 2: 0}
    data_inputs = (0,)

    state_names: ClassVar[tuple[str, ...]] = ("h",)
    gates: ClassVar[int] = 1
    weights: ClassVar[int] = 3
    """How many inputs after x are weights and biases."""

    units: int = 1
    activation: CellActivation = field(default_factory=lambda: named_activation("tanh"))
    initial: bool = False
    masked: bool = False
    zero_output_for_mask: bool = False
    reverse: bool = False

    @property
    def states(self) -> int:
        return len(self.state_names)

    def initial_states(self, inputs: Sequence[str]) -> tuple[str, ...]:
        """Which of an op's inputs are its initial states."""
        first = 1 + self.weights
        return tuple(inputs[first : first + self.states]) if self.initial else ()

    def mask(self, inputs: Sequence[str]) -> str | None:
        return inputs[-1] if self.masked else None

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        expected = 1 + self.weights + self.initial * self.states + self.masked
        if len(inputs) != expected:
            raise ShapeError(f"{self.kind} takes {expected} inputs, not {len(inputs)}")
        x, kernel, recurrent = inputs[:3]
        height = self.gates * self.units
        if x.rank != 3 or kernel.shape[0] != height or x.shape[2] not in (None, kernel.shape[1]):
            raise ShapeError(f"kernel {kernel.shape} does not fit input {x.shape}")
        if recurrent.shape != (height, self.units):
            raise ShapeError(f"recurrent kernel {recurrent.shape} is not {(height, self.units)}")
        batch, steps = x.shape[:2]
        state = TensorType((batch, self.units), x.dtype)
        return (TensorType((batch, steps, self.units), x.dtype), *[state] * self.states)

    def macs(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        x, kernel, recurrent = inputs[:3]
        each = sum((w.shape[0] or 1) * (w.shape[1] or 1) for w in (kernel, recurrent))
        return each * (x.shape[TIME] or 1)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        x, kernel, _, bias = inputs[:4]
        constants = [
            Tensor.constant(f"w{i}", w) for i, w in enumerate(inputs[2 : 1 + self.weights])
        ]
        scan = self.scan("cell", [constants[0], *constants[2:]])
        sequences = [x @ kernel.T + bias]
        if self.masked:
            sequences.append(inputs[-1][:, :, np.newaxis])
        first = 1 + self.weights
        states = inputs[first : first + self.states] if self.initial else []
        *final, sequence = scan.evaluate([*sequences, *states])
        return (sequence, *final)

    def scan(self, scope: str, recurrent: Sequence[Tensor], *, stacked: bool = True) -> Scan:
        """The operator as a loop over the projected input.

        Inputs of the result: ``x · kernelᵀ + bias`` ``(B, T, G·U)``, the mask ``(B, T, 1)`` if
        there is one, the initial states if given. Outputs: the final states, then the sequence.

        Args:
            scope: Comes before the names of the cell's tensors.
            recurrent: The recurrent kernel and, for a GRU, the recurrent bias; constants.
            stacked: Whether the sequence is wanted.
        """
        builder = GraphBuilder(scope)
        projected = builder.input(f"{scope}/projected", (None, self.gates * self.units))
        mask = builder.input(f"{scope}/mask", (None, 1), "bool") if self.masked else None
        names = [f"{scope}/{name}" for name in self.state_names]
        states = [builder.input(name, (None, self.units)) for name in names]
        cell = CellWriter(builder, scope)
        new = self.step(cell, projected, states, list(map(cell.weight, self.parts(recurrent))))
        output = new[0]
        if mask is not None:
            if self.zero_output_for_mask:
                zero = builder.constant(f"{scope}/zero", np.zeros((1, 1), np.float32))
                output = cell.add(Select(), [mask, new[0], zero], "output")
            new = [
                cell.add(Select(), [mask, after, before], f"kept_{name}")
                for after, before, name in zip(new, states, self.state_names, strict=True)
            ]
            if not self.zero_output_for_mask:
                output = new[0]
        outputs = dict(zip((f"{name}_next" for name in names), new, strict=True))
        if stacked:
            outputs[f"{scope}/sequence"] = output
        return Scan(
            builder.finish(outputs), 1 + self.masked, not self.initial, reverse=self.reverse
        )

    def parts(self, recurrent: Sequence[Tensor]) -> list[Tensor]:
        """The recurrent weights as ``step`` takes them."""
        return list(recurrent)

    @abstractmethod
    def step(
        self, cell: CellWriter, x: str, states: Sequence[str], recurrent: Sequence[str]
    ) -> list[str]:
        """Writes one step; the new states, the first of which is the output.

        Args:
            x: The projected input of this step, ``(B, G·U)``.
            recurrent: The constants of ``parts``.
        """


@dataclass(frozen=True)
class SimpleRnn(Recurrent):
    """``h' = activation(W x + b + R h)`` (Elman 1990)."""

    kind = "simple_rnn"

    def step(
        self, cell: CellWriter, x: str, states: Sequence[str], recurrent: Sequence[str]
    ) -> list[str]:
        (h,) = states
        product = cell.add(FullyConnected(), [h, recurrent[0]], "recurrent")
        total = cell.add(Add(), [x, product], "total")
        return [cell.activate(self.activation, total, "output")]


@dataclass(frozen=True)
class Lstm(Recurrent):
    """Gates i, f, c, o (Hochreiter & Schmidhuber 1997, with forget gates of Gers et al. 2000).

    ``c' = f ⊙ c + i ⊙ activation(g)``; ``h' = o ⊙ activation(c')``.
    """

    kind = "lstm"
    state_names = ("h", "c")
    gates = 4

    recurrent_activation: CellActivation = field(
        default_factory=lambda: named_activation("sigmoid")
    )

    def step(
        self, cell: CellWriter, x: str, states: Sequence[str], recurrent: Sequence[str]
    ) -> list[str]:
        h, c = states
        product = cell.add(FullyConnected(), [h, recurrent[0]], "recurrent")
        total = cell.add(Add(), [x, product], "total")
        names = ("input_sum", "forget_sum", "candidate_sum", "output_sum")
        i, f, g, o = cell.split(total, self.units, names)
        gate = self.recurrent_activation
        i, f = cell.activate(gate, i, "input_gate"), cell.activate(gate, f, "forget_gate")
        g, o = cell.activate(self.activation, g, "candidate"), cell.activate(gate, o, "output_gate")
        kept = cell.add(Mul(), [f, c], "kept")
        added = cell.add(Mul(), [i, g], "added")
        c = cell.add(Add(), [kept, added], "cell")
        squashed = cell.activate(self.activation, c, "squashed")
        return [cell.add(Mul(), [o, squashed], "hidden"), c]


@dataclass(frozen=True)
class Gru(Recurrent):
    """Gates z, r, h (Cho et al. 2014, arXiv 1406.1078).

    ``h' = z ⊙ h + (1 - z) ⊙ ĥ``, written ``ĥ + z ⊙ (h - ĥ)``. With ``reset_after`` (cuDNN)
    ``ĥ = activation(x + r ⊙ (R h + b))``, otherwise ``ĥ = activation(x + R (r ⊙ h) + b)``.
    """

    kind = "gru"
    gates = 3
    weights = 4

    recurrent_activation: CellActivation = field(
        default_factory=lambda: named_activation("sigmoid")
    )
    reset_after: bool = True

    def parts(self, recurrent: Sequence[Tensor]) -> list[Tensor]:
        """Kernel and bias; without ``reset_after`` of the gates, then of the candidate."""
        if self.reset_after:
            return list(recurrent)
        cut = (self.gates - 1) * self.units
        return [
            rows(tensor, part, f"{tensor.name}/{name}")
            for name, part in (("gates", slice(None, cut)), ("candidate", slice(cut, None)))
            for tensor in recurrent
        ]

    def step(
        self, cell: CellWriter, x: str, states: Sequence[str], recurrent: Sequence[str]
    ) -> list[str]:
        (h,) = states
        if self.reset_after:
            z, candidate = self._reset_after(cell, x, h, recurrent)
        else:
            z, candidate = self._reset_before(cell, x, h, recurrent)
        difference = cell.add(Sub(), [h, candidate], "difference")
        kept = cell.add(Mul(), [z, difference], "kept")
        return [cell.add(Add(), [candidate, kept], "hidden")]

    def _reset_after(
        self, cell: CellWriter, x: str, h: str, recurrent: Sequence[str]
    ) -> tuple[str, str]:
        product = cell.add(FullyConnected(), [h, *recurrent], "recurrent")
        xz, xr, xh = cell.split(x, self.units, ("update_input", "reset_input", "candidate_input"))
        names = ("update_recurrent", "reset_recurrent", "candidate_recurrent")
        hz, hr, hh = cell.split(product, self.units, names)
        gate = self.recurrent_activation
        z = cell.activate(gate, cell.add(Add(), [xz, hz], "update_sum"), "update_gate")
        r = cell.activate(gate, cell.add(Add(), [xr, hr], "reset_sum"), "reset_gate")
        reset = cell.add(Mul(), [r, hh], "reset")
        total = cell.add(Add(), [xh, reset], "candidate_sum")
        return z, cell.activate(self.activation, total, "candidate")

    def _reset_before(
        self, cell: CellWriter, x: str, h: str, recurrent: Sequence[str]
    ) -> tuple[str, str]:
        gates_kernel, gates_bias, kernel, bias = recurrent
        product = cell.add(FullyConnected(), [h, gates_kernel, gates_bias], "recurrent")
        xz, xr, xh = cell.split(x, self.units, ("update_input", "reset_input", "candidate_input"))
        hz, hr = cell.split(product, self.units, ("update_recurrent", "reset_recurrent"))
        gate = self.recurrent_activation
        z = cell.activate(gate, cell.add(Add(), [xz, hz], "update_sum"), "update_gate")
        r = cell.activate(gate, cell.add(Add(), [xr, hr], "reset_sum"), "reset_gate")
        reset = cell.add(Mul(), [r, h], "reset")
        hh = cell.add(FullyConnected(), [reset, kernel, bias], "candidate_recurrent")
        total = cell.add(Add(), [xh, hh], "candidate_sum")
        return z, cell.activate(self.activation, total, "candidate")
