"""Rounds weights so that their errors cancel in the products.

Each weight is rounded to the nearest step; what that changes is made up for in the weights of the
same row that are still to come, as far as their inputs go together (GPTQ: Frantar et al. 2022,
arXiv 2210.17323, after Optimal Brain Surgeon, Hassibi & Stork 1993). "Go together" is what
calibration saw: the mean products of the inputs.

Few samples show inputs going together that do not. How far the products of different inputs are
believed is therefore tried out: weights rounded by one half of the data are judged on the other.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.tensor import Array, along
from edgenn.quantization.parameters import WEIGHT_LIMIT, quantize_weights

TRUSTS: Final = (0.0, 0.7, 0.9, 0.99, 0.999)
"""How far products of different inputs are believed; at 0 every weight is rounded by itself."""
DAMPING: Final = 1e-4
"""Share of the inputs' mean square that is added to every square: keeps the products regular."""
TRIED_ROWS: Final = 32
"""Rows of weights that are tried out."""


def rounded_with_compensation(
    weights: Array,
    scales: NDArray[np.float32],
    products: NDArray[np.float64],
    halves: NDArray[np.float64],
) -> NDArray[np.int8]:
    """A matrix ``(O, F)`` in int8, row by row on its scale, errors made up for.

    Args:
        products: Mean of ``xᵀx`` over the inputs x, ``(F, F)``.
        halves: The same in each half of the data, ``(2, F, F)``.
    """
    return compensated(weights, scales, products, best_trust(weights, scales, halves))


def best_trust(weights: Array, scales: NDArray[np.float32], halves: NDArray[np.float64]) -> float:
    """The trust at which either half of the data rounds best for the other half.

    More is tried as long as it helps.
    """
    stride = -(-len(weights) // TRIED_ROWS)
    weights, scales = weights[::stride], scales[::stride]
    if not all(np.trace(half) > 0 for half in halves):
        return 0.0

    def error(trust: float) -> float:
        tried = [compensated(weights, scales, half, trust) for half in halves]
        return sum(
            output_error(weights, scales, integers, other)
            for integers, other in zip(tried, halves[::-1], strict=True)
        )

    errors = (error(trust) for trust in TRUSTS)
    for trust, (less, more) in zip(TRUSTS, pairwise(errors), strict=False):
        if more >= less:
            return trust
    return TRUSTS[-1]


def compensated(
    weights: Array, scales: NDArray[np.float32], products: NDArray[np.float64], trust: float
) -> NDArray[np.int8]:
    """The integers where the products of different inputs are believed as far as ``trust``.

    The largest inputs come first: what is left at the end finds nobody to make up for it.
    """
    if trust == 0:
        return np.asarray(quantize_weights(weights, scales, 0), np.int8)
    order = np.argsort(-np.diag(products), kind="stable")
    left = weights[:, order].astype(np.float64)
    steps = scales.astype(np.float64)
    factors = compensation_factors(products[np.ix_(order, order)], trust)
    result = np.empty(weights.shape, np.int8)
    for step, column in enumerate(order):
        integers = np.clip(np.round(left[:, step] / steps), -WEIGHT_LIMIT, WEIGHT_LIMIT)
        result[:, column] = integers
        error = (left[:, step] - integers * steps) / factors[step, step]
        left[:, step + 1 :] -= np.outer(error, factors[step, step + 1 :])
    return result


def compensation_factors(products: NDArray[np.float64], trust: float) -> NDArray[np.float64]:
    """The upper Cholesky factor of the inverse of the products."""
    squares = np.diag(products)
    damping = max(DAMPING * squares.mean(), 1e-12)
    inverse = np.linalg.inv(trust * products + np.diag((1 - trust) * squares + damping))
    return np.asarray(np.linalg.cholesky((inverse + inverse.T) / 2).T, np.float64)


def output_error(
    weights: Array,
    scales: NDArray[np.float32],
    integers: NDArray[np.int8],
    products: NDArray[np.float64],
) -> float:
    """Mean square by which rounding changes the products with x, summed over the rows."""
    error = integers * along(scales.astype(np.float64), 0, 2) - weights
    return float(np.sum((error @ products) * error))
