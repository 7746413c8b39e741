"""How far numbers have drifted: one pure function per metric, all in one table.

Every function takes float64 arrays of one shape, samples first, and gives ``None`` where the
metric has no meaning for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from edgenn.runtime.tensor_info import Array

Value = float | None


@dataclass(frozen=True)
class Metric:
    """One number that compares an artifact's output with the reference.

    Attributes:
        name: In reports and JSON.
        title: Over its column.
        unit: Empty for plain numbers.
        better: Which direction is better.
        source: Where its definition comes from.
        compute: ``(reference, actual)``, or ``(actual, labels)`` where ``of_labels``.
        of_labels: Compares with labels instead of the reference.
    """

    name: str
    title: str
    unit: str
    better: Literal["lower", "higher"]
    source: str
    compute: Callable[[Array, Array], Value]
    of_labels: bool = False


def max_abs(reference: Array, actual: Array) -> Value:
    """The largest absolute difference."""
    return float(np.abs(actual - reference).max())


def rmse(reference: Array, actual: Array) -> Value:
    """Root of the mean squared difference."""
    return float(np.sqrt(np.mean(np.square(actual - reference))))


def sqnr_db(reference: Array, actual: Array) -> Value:
    """Signal to quantisation noise ratio; infinite where there is no noise."""
    signal = float(np.sum(np.square(reference)))
    noise = float(np.sum(np.square(actual - reference)))
    if noise == 0:
        return float("inf")
    return 10 * float(np.log10(signal / noise)) if signal else None


def cosine(reference: Array, actual: Array) -> Value:
    """Cosine of the angle between all outputs taken as one vector each."""
    norms = float(np.linalg.norm(reference) * np.linalg.norm(actual))
    return float(np.vdot(reference, actual)) / norms if norms else None


def top1_agreement(reference: Array, actual: Array) -> Value:
    """Share of samples (or pixels, steps) with the same largest class as the reference."""
    if not has_classes(actual):
        return None
    return float(np.mean(reference.argmax(-1) == actual.argmax(-1)))


def accuracy(actual: Array, labels: Array) -> Value:
    """Share of samples that are named as their label says.

    Labels are class indices or one-hot; a single output is a probability, right above one half.
    """
    if labels.shape == actual.shape and has_classes(actual):
        return float(np.mean(actual.argmax(-1) == labels.argmax(-1)))
    if labels.dtype.kind not in "iub":
        return None
    if has_classes(actual) and labels.shape == actual.shape[:-1]:
        return float(np.mean(actual.argmax(-1) == labels))
    if labels.size == len(labels) and actual.size == len(actual):
        return float(np.mean((actual.ravel() > 0.5) == labels.ravel().astype(bool)))
    return None


def has_classes(output: Array) -> bool:
    """Whether the last axis can be one of classes."""
    return output.ndim >= 2 and output.shape[-1] > 1


METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        Metric("max_abs", "max abs", "", "lower", "maximum norm", max_abs),
        Metric("rmse", "RMSE", "", "lower", "Euclidean norm / √n", rmse),
        Metric("sqnr_db", "SQNR", "dB", "higher", "Lin et al. 2016, arXiv 1511.06393", sqnr_db),
        Metric("cosine", "cosine", "", "higher", "inner product / norms", cosine),
        Metric("top1_agreement", "top-1", "%", "higher", "argmax of both", top1_agreement),
        Metric("accuracy", "acc.", "%", "higher", "argmax against labels", accuracy, True),
    )
}


def compute_metrics(reference: Array, actual: Array, labels: Array | None) -> dict[str, Value]:
    """Every metric by name; ``None`` where it has no meaning or labels are missing."""
    wide, given = reference.astype(np.float64), actual.astype(np.float64)
    values: dict[str, Value] = {}
    with np.errstate(all="ignore"):  # outputs that are no numbers are findings of the runner
        for name, metric in METRICS.items():
            if not metric.of_labels:
                values[name] = metric.compute(wide, given)
            else:
                values[name] = None if labels is None else metric.compute(given, labels)
    return values
