"""Area under the ROC curve: how well scores rank."""

import numpy as np

from edgenn.drift.metrics.labels import Judged, Layout
from edgenn.drift.metrics.metric import Claims, Metric, Ranked
from edgenn.runtime.tensor_info import Array

MOST_CLASSES = 100
"""Each of them keeps the scores that it was given."""


def has_scores(layout: Layout) -> bool:
    """A score for each class of a sample."""
    named = layout.meaning in ("classes", "binary", "multilabel") and layout.positions == ()
    return named and layout.classes <= MOST_CLASSES and not layout.indices


def each_class(judged: Judged) -> Claims:
    """Every class is claimed for every sample, with the output as the score."""
    n = len(judged)
    scores = judged.output.reshape(n, -1).astype(np.float64)
    classes = np.arange(scores.shape[1])
    one_of_several = judged.layout.meaning == "classes"
    right = judged.expected == (classes if one_of_several else 1)
    return Claims(
        np.repeat(np.arange(n), len(classes)), np.tile(classes, n), scores.ravel(), right.ravel()
    )


def roc_area(_scores: Array, right: Array, wrong: Array) -> Array:
    """Share of pairs (right, wrong) in which the right one has the larger score; ties are half."""
    below = np.cumsum(wrong, -1) - wrong
    pairs = right.sum(-1) * wrong.sum(-1)
    area: Array = (right * (below + wrong / 2)).sum(-1) / pairs
    return area


RANKING = (
    Metric(
        "auc",
        "AUC",
        "",
        "higher",
        "Hanley & McNeil 1982; several classes: each against the rest, their mean",
        "detectors whose threshold is set later",
        Ranked(each_class, roc_area, has_scores),
    ),
)
