"""Task metrics of numbers."""

import numpy as np

from edgenn.drift.metrics.labels import Judged, Layout, features_of
from edgenn.drift.metrics.metric import Metric, Sums, Task
from edgenn.runtime.tensor_info import Array

MOST_FEATURES = 4096
"""Of R² and NSE: three sums of each are kept."""


def is_regression(layout: Layout) -> bool:
    return layout.meaning == "regression"


def has_few_features(layout: Layout) -> bool:
    return is_regression(layout) and features_of(layout.output) <= MOST_FEATURES


def absolute_errors(judged: Judged) -> Array:
    """Sum of absolute errors and number of elements."""
    output, labels = judged.numbers
    total = np.abs(output - labels).sum((1, 2))
    return np.stack([total, np.full(len(total), labels[0].size)], -1)


def mae(sums: Sums) -> Array:
    return sums[..., 0] / sums[..., 1]


def variances(judged: Judged) -> Array:
    """Of each feature: squared error, sum and sum of squares of the labels, and one count."""
    output, labels = judged.numbers
    columns = [np.square(output - labels), labels, np.square(labels)]
    count = np.full((len(labels), 1), labels.shape[1])
    return np.concatenate([*(column.sum(1) for column in columns), count], -1)


def errors_and_spreads(sums: Sums) -> tuple[Array, Array]:
    """Of each feature, ``(..., F)``: Σ(y − ŷ)² and Σ(y − ȳ)²."""
    error, total, squares = np.split(sums[..., :-1], 3, axis=-1)
    return error, squares - np.square(total) / sums[..., -1:]


def explained(sums: Sums) -> Array:
    """Mean over features of 1 − Σ(y − ŷ)² / Σ(y − ȳ)²."""
    error, spread = errors_and_spreads(sums)
    # what scikit-learn says of constant labels: 1 where they are met, else 0
    constant = np.where(error == 0, 1.0, 0.0)
    by_feature: Array = np.where(spread <= 0, constant, 1 - error / spread)
    value: Array = by_feature.mean(-1)
    return value


def efficiency(sums: Sums) -> Array:
    """1 − Σ(y − ŷ)² / Σ(y − ȳ)², both added up over features; none for constant labels."""
    error, spread = (part.sum(-1) for part in errors_and_spreads(sums))
    return np.where(spread <= 0, np.nan, 1 - error / spread)


REGRESSION = (
    Metric(
        "mae",
        "MAE",
        "",
        "lower",
        "mean absolute error",
        "numbers: the usual error, in their own unit",
        Task(absolute_errors, mae, is_regression),
        in_table=True,
    ),
    Metric(
        "r2",
        "R²",
        "",
        "higher",
        "coefficient of determination, mean over the features of the last axis (scikit-learn)",
        "numbers of several kinds, each beside its own spread",
        Task(variances, explained, has_few_features),
        in_table=True,
    ),
    Metric(
        "nse",
        "NSE",
        "",
        "higher",
        "Nash & Sutcliffe 1970, J. Hydrology 10; features are added up, each around its own mean",
        "forecasts: 0 is as good as always saying the mean",
        Task(variances, efficiency, has_few_features),
    ),
)
