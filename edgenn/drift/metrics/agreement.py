"""Metrics of classes and probabilities beside the reference's, without labels."""

import numpy as np

from edgenn.drift.metrics.labels import is_distribution
from edgenn.drift.metrics.metric import Drift, Metric, Pair, Sums
from edgenn.runtime.tensor_info import Array

SMALLEST = 1e-7
"""Probabilities are cut here, as Keras's losses do: the 0 of an int8 file is not infinitely bad."""


def has_classes(output: Array) -> bool:
    """Whether the last axis can be one of classes."""
    return output.ndim >= 2 and output.shape[-1] > 1


def has_more_than_five(output: Array) -> bool:
    return has_classes(output) and output.shape[-1] > 5


def rate(hits: Array) -> Array:
    """Rows of hits and trials from an array of booleans, samples first."""
    flat = hits.reshape(len(hits), -1)
    return np.stack([flat.sum(-1), np.full(len(flat), flat.shape[1])], -1).astype(np.float64)


def same_largest(pair: Pair) -> Array:
    hits = pair.reference.argmax(-1) == pair.actual.argmax(-1)
    return rate(hits & ~np.isnan(pair.actual).any(-1))


def among_five_largest(pair: Pair) -> Array:
    """Ties count for the artifact: fewer than five of its classes are larger."""
    named = pair.reference.argmax(-1)[..., None]
    larger = pair.actual > np.take_along_axis(pair.actual, named, -1)
    return rate((larger.sum(-1) < 5) & ~np.isnan(pair.actual).any(-1))


def divergence(pair: Pair) -> Array:
    """Σ p·ln(p/q) of each sample, and how many distributions it holds."""
    p, q = (np.clip(array, SMALLEST, None) for array in (pair.reference, pair.actual))
    nats = (p * np.log(p / q)).sum(-1).reshape(len(p), -1)
    return np.stack([nats.sum(-1), np.full(len(p), nats.shape[1])], -1)


def mean(sums: Sums, _maxima: Sums) -> Array:
    """Total / count."""
    return sums[..., 0] / sums[..., 1]


AGREEMENTS = (
    Metric(
        "kl",
        "KL",
        "nat",
        "lower",
        "Kullback & Leibler 1951: mean of Σ p·ln(p/q), p the reference's; cut at 1e-7 as in Keras",
        "probabilities over the last axis: what the largest class does not show",
        Drift(divergence, mean, applies=is_distribution),
    ),
    Metric(
        "top1_agreement",
        "top-1",
        "%",
        "higher",
        "same argmax as the reference",
        "classifiers without labels: samples (or pixels, steps) that are named alike",
        Drift(same_largest, mean, applies=has_classes),
        in_table=True,
    ),
    Metric(
        "top5_agreement",
        "top-5",
        "%",
        "higher",
        "the reference's argmax is among the five largest",
        "classifiers with many classes that look alike",
        Drift(among_five_largest, mean, applies=has_more_than_five),
    ),
)
