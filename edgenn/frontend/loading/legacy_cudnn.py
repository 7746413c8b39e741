"""Weights of ``CuDNNLSTM`` and ``CuDNNGRU`` → those of the layers that compute the same.

cuDNN keeps one bias for the input's product and one for the state's, in one vector, and stores
its kernels transposed: Keras 2 (``saving/legacy/hdf5_format.py``, ``_convert_rnn_weights``)
knows such weights by the length of the bias, and so do we.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[Any]
NAMES = ("kernel", "recurrent_kernel", "bias")
_LSTM_GATES, _GRU_GATES = 4, 3


def is_of_cudnn(kernel: Weights, recurrent_kernel: Weights, bias: Weights) -> bool:
    """Whether the bias is one vector of two biases, as no other recurrent layer has it."""
    if kernel.ndim != 2 or recurrent_kernel.ndim != 2:
        return False
    units, columns = recurrent_kernel.shape
    return (
        columns in (_LSTM_GATES * units, _GRU_GATES * units)
        and kernel.shape[1] == columns
        and bias.shape == (2 * columns,)
    )


def from_cudnn(
    kernel: Weights, recurrent_kernel: Weights, bias: Weights
) -> tuple[Weights, Weights, Weights]:
    """The three weights of LSTM, or of GRU with ``reset_after``.

    Args:
        kernel: ``(features, gates · units)``; each gate's part in the other memory order.
        recurrent_kernel: ``(units, gates · units)``; each gate's part transposed.
        bias: ``(2 · gates · units,)``: the input's, then the state's.
    """
    units, columns = recurrent_kernel.shape
    gates = columns // units
    biases = bias.reshape(2, columns)
    return (
        _by_gate(kernel, gates, lambda part: part.T.reshape(part.shape, order="F")),
        _by_gate(recurrent_kernel, gates, lambda part: part.T),
        biases.sum(axis=0) if gates == _LSTM_GATES else biases,
    )


def _by_gate(kernel: Weights, gates: int, change: Callable[[Weights], Weights]) -> Weights:
    return np.concatenate([change(part) for part in np.split(kernel, gates, axis=1)], axis=1)
