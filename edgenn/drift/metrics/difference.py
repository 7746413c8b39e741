"""Metrics of the difference between outputs and the reference's."""

import numpy as np

from edgenn.drift.metrics.metric import Drift, Metric, Pair, Sums
from edgenn.runtime.tensor_info import Array


def no_sums(pair: Pair) -> Array:
    return np.empty((len(pair.reference), 0))


def extremes(pair: Pair) -> Array:
    """Largest difference, and what the reference's range needs: its maximum, less its minimum."""
    return pair.extremes


def errors(pair: Pair) -> Array:
    """Squared error and number of elements."""
    return np.stack(
        [pair.squared_error, np.full(len(pair.reference), pair.difference.shape[1])], -1
    )


def errors_and_signal(pair: Pair) -> Array:
    return np.stack([pair.squared_error, pair.squared_reference], -1)


def products(pair: Pair) -> Array:
    """Inner product and both squared norms."""
    inner = np.einsum("ij,ij->i", pair.flat_reference, pair.flat_actual)
    actual = np.einsum("ij,ij->i", pair.flat_actual, pair.flat_actual)
    return np.stack([inner, pair.squared_reference, actual], -1)


def max_abs(_sums: Sums, maxima: Sums) -> Array:
    return maxima[..., 0]


def max_abs_of_range(_sums: Sums, maxima: Sums) -> Array:
    value = maxima[..., 0] / value_range(maxima)
    return np.where(maxima[..., 0] == 0, 0.0, value)


def value_range(maxima: Sums) -> Array:
    return maxima[..., 1] + maxima[..., 2]


def rmse(sums: Sums, _maxima: Sums) -> Array:
    return np.sqrt(sums[..., 0] / sums[..., 1])


def relative_l2(sums: Sums, _maxima: Sums) -> Array:
    return np.sqrt(np.where(sums[..., 0] == 0, 0.0, sums[..., 0] / sums[..., 1]))


def sqnr_db(sums: Sums, _maxima: Sums) -> Array:
    """10·log10(Σ reference² / Σ difference²); infinite where there is no difference."""
    decibels = 10 * np.log10(sums[..., 1] / sums[..., 0])
    # no signal but noise: a ratio of 0 says nothing that a user could act on
    return np.where(sums[..., 0] == 0, np.inf, np.where(sums[..., 1] == 0, np.nan, decibels))


def psnr_db(sums: Sums, maxima: Sums) -> Array:
    """20·log10(range of the reference / RMSE); infinite where there is no difference."""
    peak, error = value_range(maxima), rmse(sums, maxima)
    decibels = 20 * np.log10(peak / error)
    return np.where(error == 0, np.inf, np.where(peak == 0, np.nan, decibels))


def cosine(sums: Sums, _maxima: Sums) -> Array:
    value: Array = sums[..., 0] / np.sqrt(sums[..., 1] * sums[..., 2])
    return value


DIFFERENCES = (
    Metric(
        "max_abs",
        "max abs",
        "",
        "lower",
        "maximum norm",
        "the worst single number",
        Drift(no_sums, max_abs, extremes),
        in_table=True,
    ),
    Metric(
        "max_abs_of_range",
        "max/range",
        "",
        "lower",
        "maximum norm / (max − min of the reference)",
        "the same for outputs of any size: float artifacts stay below 1e-4",
        Drift(no_sums, max_abs_of_range, extremes),
    ),
    Metric(
        "rmse",
        "RMSE",
        "",
        "lower",
        "Euclidean norm / √n",
        "the usual size of the difference, in the output's unit",
        Drift(errors, rmse),
        in_table=True,
    ),
    Metric(
        "relative_l2",
        "rel. L2",
        "",
        "lower",
        "norm of the difference / norm of the reference",
        "difference for outputs of any size",
        Drift(errors_and_signal, relative_l2),
    ),
    Metric(
        "sqnr_db",
        "SQNR",
        "dB",
        "higher",
        "Lin et al. 2016, arXiv 1511.06393",
        "the same in decibels: 6 for each bit that counts",
        Drift(errors_and_signal, sqnr_db),
        in_table=True,
    ),
    Metric(
        "cosine",
        "cosine",
        "",
        "higher",
        "inner product / norms, all outputs as one vector",
        "direction alone: embeddings; blind to a wrong scale",
        Drift(products, cosine),
    ),
    Metric(
        "psnr_db",
        "PSNR",
        "dB",
        "higher",
        "peak signal to noise ratio; the peak is max − min of the reference",
        "pictures and sound",
        Drift(errors, psnr_db, extremes),
    ),
)
