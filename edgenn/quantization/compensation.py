"""Rounds weights so that their errors cancel in the products.

Each weight is rounded to the nearest step; what that changes is made up for in the weights of the
same row that are still to come, as far as their inputs go together (GPTQ: Frantar et al. 2022,
arXiv 2210.17323, after Optimal Brain Surgeon, Hassibi & Stork 1993). "Go together" is what
calibration saw: the mean products of the inputs.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.tensor import Array, along
from edgenn.quantization.parameters import WEIGHT_LIMIT

DAMPING: Final = 1e-3
"""Share of the inputs' mean square that counts as noise of their own: keeps directions that were
hardly seen from being used."""


def rounded_with_compensation(
    weights: Array, scales: NDArray[np.float32], products: NDArray[np.float64]
) -> NDArray[np.int8]:
    """A matrix ``(O, F)`` in int8, row by row on its scale, errors made up for.

    Args:
        products: Mean of ``xᵀx`` over the inputs x, ``(F, F)``.
    """
    left = weights.astype(np.float64)
    steps = along(scales.astype(np.float64), 0, 1)
    factors = compensation_factors(products)
    result = np.empty(weights.shape, np.int8)
    for column in range(weights.shape[1]):
        integers = np.clip(np.round(left[:, column] / steps), -WEIGHT_LIMIT, WEIGHT_LIMIT)
        result[:, column] = integers
        error = (left[:, column] - integers * steps) / factors[column, column]
        left[:, column + 1 :] -= np.outer(error, factors[column, column + 1 :])
    return result


def compensation_factors(products: NDArray[np.float64]) -> NDArray[np.float64]:
    """The upper Cholesky factor of the inverse of the damped products."""
    size = len(products)
    damping = max(DAMPING * np.trace(products) / size, 1e-12)
    inverse = np.linalg.inv(products + damping * np.eye(size))
    return np.asarray(np.linalg.cholesky((inverse + inverse.T) / 2).T, np.float64)
