"""A whole LSTM as one operator, as TFLite's UNIDIRECTIONAL_SEQUENCE_LSTM computes it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from edgenn.ir.operator import Activation, Hybrid, IntegerInput, ShapeError, TensorType
from edgenn.ir.ops.activation import Logistic
from edgenn.ir.ops.hybrid import product, rounded
from edgenn.ir.ops.integer_lstm import CELL_EXPONENTS, Gate, LstmScales, lstm
from edgenn.ir.tensor import Array, Tensor

LOOP_STATES = "loop_states"
"""Key of ``Graph.metadata``: output of a fused op → the tensors that hold the output and the cell
state of a step where the layer is a loop, which is how calibration sees them."""
GATES = ("input", "forget", "cell", "output")
"""The order of a gate's tensors among the inputs: Keras's i, f, c, o."""


class LstmActivation(StrEnum):
    """What the kernel has for the candidate and the cell state; gates are always sigmoid.

    It takes "none" as well, but then leaves the values where they are not looked for.
    """

    TANH = "tanh"
    RELU = "relu"
    RELU6 = "relu6"

    def apply(self, x: Array) -> Array:
        return _ACTIVATIONS[self](x)


def _sigmoid(x: Array) -> Array:
    return Logistic().evaluate([x])[0]


_ACTIVATIONS: dict[LstmActivation, Callable[[Array], Array]] = {
    LstmActivation.TANH: np.tanh,
    LstmActivation.RELU: Activation.RELU.apply,
    LstmActivation.RELU6: Activation.RELU6.apply,
}


@dataclass(frozen=True)
class FusedLstm(Hybrid):
    """An LSTM over a sequence, from states of zero.

    Inputs: x ``(B, T, F)``; then, each in the order of ``GATES``, four kernels ``(U, F)``, four
    recurrent kernels ``(U, U)`` and four biases ``(U,)``. Output: the sequence ``(B, T, U)``.

    ``c' = clip(f ⊙ c + i ⊙ activation(g))``; ``h' = o ⊙ activation(c')``.

    In integers x, kernels and output are int8, the biases int32 with scale x × kernel; the state
    has the output's parameters.

    Attributes:
        activation: Of the candidate and the cell state; integers know tanh only.
        cell_clip: Bound of the cell state; 0 for none.
        cell_exponent: In integers the cell state counts in steps of ``2**cell_exponent``.
    """

    kind = "fused_lstm"
    # no `weight_axes`, which stand for scales per channel: the kernel has one scale a matrix
    data_inputs = (0,)
    integer_dtypes = frozenset({"int8"})

    activation: LstmActivation = LstmActivation.TANH
    cell_clip: float = 0.0
    cell_exponent: int = -12

    def __post_init__(self) -> None:
        if self.cell_exponent not in CELL_EXPONENTS:
            raise ValueError(f"cell_exponent {self.cell_exponent} is not in {CELL_EXPONENTS}")

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        if len(inputs) != 13:
            raise ShapeError(f"an LSTM takes 13 inputs, not {len(inputs)}")
        x, kernels, recurrents, biases = inputs[0], inputs[1:5], inputs[5:9], inputs[9:]
        units = kernels[0].shape[0]
        if x.rank != 3:
            raise ShapeError(f"input {x.shape} is no sequence of vectors")
        features = x.shape[2] if x.shape[2] is not None else kernels[0].shape[1]
        for tensors, shape in (
            (kernels, (units, features)),
            (recurrents, (units, units)),
            (biases, (units,)),
        ):
            for tensor in tensors:
                if tensor.shape != shape:
                    raise ShapeError(f"{tensor.name} {tensor.shape} is not of shape {shape}")
        return (TensorType((*x.shape[:2], units), x.dtype),)

    def evaluate(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        return self.evaluate_with_cells(inputs)[:1]

    def evaluate_with_cells(self, inputs: Sequence[Array]) -> tuple[Array, Array]:
        """The output and the cell state of every step, ``(B, T, U)`` each; in float."""
        x, kernels, recurrents, biases = inputs[0], inputs[1:5], inputs[5:9], inputs[9:]
        projected = x @ np.concatenate(kernels).T + np.concatenate(biases)
        recurrent = np.concatenate(recurrents).T
        return self._steps(projected, lambda h: h @ recurrent)

    def evaluate_hybrid(self, inputs: Sequence[IntegerInput]) -> tuple[Array, ...]:
        return self.evaluate_hybrid_with_cells(inputs)[:1]

    def evaluate_hybrid_with_cells(self, inputs: Sequence[IntegerInput]) -> tuple[Array, Array]:
        """As ``evaluate_with_cells``, of real inputs and stored weights."""
        x, kernels, recurrents, biases = inputs[0].values, inputs[1:5], inputs[5:9], inputs[9:]

        def multiply(rows: Array, weights: Sequence[IntegerInput]) -> Array:
            steps = rounded(rows, self.input_rounding)
            return np.concatenate([product(steps, w) for w in weights], axis=-1)

        sums = multiply(x.reshape(-1, x.shape[2]), kernels).reshape(*x.shape[:2], -1)
        bias = np.concatenate([b.values for b in biases])
        return self._steps(sums + bias, lambda h: multiply(h, recurrents))

    def _steps(self, projected: Array, recur: Callable[[Array], Array]) -> tuple[Array, Array]:
        """Runs over the sequence.

        Args:
            projected: Of each step the product with the input, bias included: ``(B, T, 4 U)``.
            recur: The product with the output of the step before.
        """
        dtype = projected.dtype
        sequence = np.empty((*projected.shape[:2], projected.shape[2] // 4), dtype)
        cells = np.empty_like(sequence)
        h = np.zeros((len(projected), sequence.shape[2]), dtype)
        c = np.zeros_like(h)
        for t in range(projected.shape[1]):
            i, f, g, o = np.split(projected[:, t] + recur(h), 4, axis=-1)
            c = _sigmoid(f) * c + _sigmoid(i) * self.activation.apply(g)
            if self.cell_clip > 0:
                c = np.clip(c, -dtype.type(self.cell_clip), dtype.type(self.cell_clip))
            h = _sigmoid(o) * self.activation.apply(c)
            sequence[:, t], cells[:, t] = h, c
        return sequence, cells

    def evaluate_integer(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, ...]:
        return self.evaluate_integer_with_cells(inputs, outputs)[:1]

    def evaluate_integer_with_cells(
        self, inputs: Sequence[IntegerInput], outputs: Sequence[Tensor]
    ) -> tuple[Array, Array]:
        """As ``evaluate_with_cells``, in stored integers: int8 and int16."""
        if self.activation is not LstmActivation.TANH:
            raise NotImplementedError(f"no integer kernel of an LSTM with {self.activation}")
        assert outputs[0].quantization is not None
        scales = LstmScales(outputs[0].quantization, self.cell_exponent, self.cell_clip)
        gates = [
            Gate(kernel, recurrent, bias)
            for kernel, recurrent, bias in zip(inputs[1:5], inputs[5:9], inputs[9:], strict=True)
        ]
        return lstm(inputs[0], gates, scales)

    def macs(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        each = sum((w.shape[0] or 1) * (w.shape[1] or 1) for w in inputs[1:9])
        return each * (inputs[0].shape[1] or 1)
