"""Fused LSTMs with random weights."""

from collections.abc import Sequence

import numpy as np
from support.one_op import one_op

from edgenn.ir.graph import Graph
from edgenn.ir.ops.fused_lstm import GATES, FusedLstm
from edgenn.ir.tensor import Array, Quantization, Tensor

SHAPES = {"kernel": "uf", "recurrent_kernel": "uu", "bias": "u"}


def weight_shapes(features: int, units: int) -> list[tuple[str, tuple[int, ...]]]:
    """Name and shape of the twelve inputs after x."""
    sizes = {"u": units, "f": features}
    return [
        (f"{gate}/{role}", tuple(sizes[letter] for letter in letters))
        for role, letters in SHAPES.items()
        for gate in GATES
    ]


def float_weights(
    rng: np.random.Generator, features: int, units: int, spread: float = 1.0
) -> list[Tensor]:
    return [
        Tensor.constant(name, rng.normal(0, spread, shape).astype(np.float32))
        for name, shape in weight_shapes(features, units)
    ]


def lstm_graph(
    lstm: FusedLstm,
    shape: Sequence[int | None],
    weights: Sequence[Tensor],
    x: Quantization | None = None,
    output: Quantization | None = None,
) -> Graph:
    """Input ``x``, output ``y0``."""
    dtype = "float32" if x is None else "int8"
    return one_op(lstm, [Tensor("x", tuple(shape), dtype, x), *weights], [output])


def sequences(rng: np.random.Generator, *shape: int) -> Array:
    return rng.normal(size=shape).astype(np.float32)
