"""A loop over time: any cell, step after step."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edgenn.ir.evaluator import evaluate_step
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Loop, Observer, ShapeError, TensorType
from edgenn.ir.tensor import Array, Shape, Tensor

TIME = 1
"""The axis of steps in every sequence; the batch comes first."""


@dataclass(frozen=True)
class Scan(Loop):
    """Runs ``cell`` once for every step and hands its states on.

    Inputs: ``sequences`` tensors ``(B, T, …)``; then, unless ``zero_state``, the initial states
    ``(B, …)``. Outputs: the final states, then for each further output of the cell its values
    at all steps, ``(B, T, …)``.

    Attributes:
        cell: One step. Inputs: one step of each sequence ``(B, …)``, then the states. Outputs:
            the next states, then what is stacked over time. Its batch is open.
        sequences: How many of the inputs run over time.
        zero_state: The states begin with zeros.
        reverse: From the last step to the first; stacked outputs stay in input order.
    """

    kind = "scan"
    mixed_precision = True

    cell: Graph = field(default_factory=lambda: Graph("", {}, (), {}, {}))
    sequences: int = 1
    zero_state: bool = True
    reverse: bool = False

    @property
    def step_tensors(self) -> list[Tensor]:
        """What the cell reads of each sequence at one step."""
        return list(self.cell.input_tensors())[: self.sequences]

    @property
    def state_tensors(self) -> list[Tensor]:
        """The states as the cell reads them."""
        return list(self.cell.input_tensors())[self.sequences :]

    @property
    def states(self) -> int:
        return len(self.cell.inputs) - self.sequences

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        expected = self.sequences if self.zero_state else len(self.cell.inputs)
        if len(inputs) != expected:
            raise ShapeError(f"{len(inputs)} inputs for a cell that takes {expected}")
        for sequence, step in zip(inputs[: self.sequences], self.step_tensors, strict=True):
            if sequence.rank != step.rank + 1:
                raise ShapeError(f"{sequence.shape} is no sequence of {step.shape}")
        batch, steps = inputs[0].shape[:2]
        states, stacked = self._cell_outputs()
        return (
            *(TensorType((batch, *t.shape[1:]), t.dtype) for t in states),
            *(TensorType((batch, steps, *t.shape[1:]), t.dtype) for t in stacked),
        )

    def _cell_outputs(self) -> tuple[list[Tensor], list[Tensor]]:
        results = list(self.cell.output_tensors())
        return results[: self.states], results[self.states :]

    def run(
        self, inputs: Sequence[Array], path: str = "", observe: Observer | None = None
    ) -> tuple[Array, ...]:
        sequences, states = list(inputs[: self.sequences]), list(inputs[self.sequences :])
        batch, steps = sequences[0].shape[:2]
        if self.zero_state:
            states = [zeros(tensor, batch) for tensor in self.state_tensors]
        names = list(self.cell.outputs.values())
        stacked: list[list[Array]] = [[] for _ in names[self.states :]]
        order = range(steps - 1, -1, -1) if self.reverse else range(steps)
        for step in order:
            values = [sequence[:, step] for sequence in sequences] + states
            given = dict(zip(self.cell.inputs, values, strict=True))
            results = evaluate_step(self.cell, given, path, step, observe)
            states = [results[name] for name in names[: self.states]]
            for column, name in zip(stacked, names[self.states :], strict=True):
                column.append(results[name])
        _, types = self._cell_outputs()
        return (
            *states,
            *(
                _stack(column[::-1] if self.reverse else column, type_, batch)
                for column, type_ in zip(stacked, types, strict=True)
            ),
        )

    def macs(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        return self.cell.macs() * (inputs[0].shape[TIME] or 1)


def zeros(tensor: Tensor, batch: int) -> Array:
    """A state that stands for zero: the zero point where it is quantised."""
    shape = (batch, *(size or 1 for size in tensor.shape[1:]))
    zero_point = 0 if tensor.quantization is None else tensor.quantization.zero_point[0]
    return np.full(shape, zero_point, tensor.dtype)


def _stack(column: list[Array], type_: Tensor, batch: int) -> Array:
    if column:
        return np.stack(column, axis=TIME)
    sizes: Shape = (batch, 0, *type_.shape[1:])
    return np.zeros([size or 0 for size in sizes], type_.dtype)
