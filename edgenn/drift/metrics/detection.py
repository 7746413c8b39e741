"""Mean average precision of boxes."""

import numpy as np

from edgenn.drift.metrics.labels import Judged, Layout
from edgenn.drift.metrics.metric import Claims, Metric, Ranked
from edgenn.runtime.tensor_info import Array

OVERLAP = 0.5
"""Intersection over union from which on a box is found."""


def has_boxes(layout: Layout) -> bool:
    """Outputs ``(n, k, 6)`` and labels ``(n, m, 5)``."""
    shapes = len(layout.output) == 2 and len(layout.labels) == 2
    return shapes and layout.output[-1] == 6 and layout.labels[-1] == 5


def found_boxes(judged: Judged) -> Claims:
    """Every detected box, right or not; every box that was missed, as right but without score.

    Detections are rows ``x1 y1 x2 y2 score class``, labels ``x1 y1 x2 y2 class``; rows with a
    class below 0 are padding.
    """
    parts = []
    for index, (detected, labels) in enumerate(zip(judged.output, judged.labels, strict=True)):
        detected, labels = detected.astype(np.float64), labels.astype(np.float64)
        detected, labels = detected[~(detected[:, 5] < 0)], labels[labels[:, 4] >= 0]
        detected = detected[np.argsort(-detected[:, 4], kind="stable")]
        right, missed = matched(detected, labels)
        kinds = np.concatenate([np.round(detected[:, 5]), labels[missed, 4]])
        scores = np.concatenate([detected[:, 4], np.full(missed.sum(), -np.inf)])
        rights = np.concatenate([right, np.ones(missed.sum(), bool)])
        parts.append((np.full(len(kinds), index), kinds, scores, rights))
    return Claims(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def matched(detected: Array, labels: Array) -> tuple[Array, Array]:
    """Which detections find a box, the best score first, and which boxes nobody finds.

    As in PASCAL VOC's development kit: a detection goes with the box of its class that it overlaps
    most; a box that is found twice makes the second one wrong.
    """
    overlaps = np.where(
        np.round(detected[:, 5:6]) == labels[None, :, 4], overlap(detected, labels), -1.0
    )
    right, missed = np.zeros(len(detected), bool), np.ones(len(labels), bool)
    if len(labels):
        best = overlaps.argmax(-1)
        for place in np.flatnonzero(overlaps.max(-1) >= OVERLAP):
            right[place] = missed[best[place]]
            missed[best[place]] = False
    return right, missed


def overlap(first: Array, second: Array) -> Array:
    """Intersection over union of every pair of boxes ``x1 y1 x2 y2``, ``(a, b)``."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:4], second[None, :, 2:4])
    shared = np.clip(high - low, 0, None).prod(-1)
    areas = [(boxes[:, 2:4] - boxes[:, :2]).prod(-1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None] - shared
    share: Array = np.where(union > 0, shared / union, 0.0)
    return share


def average_precision(scores: Array, right: Array, wrong: Array) -> Array:
    """Area under the precision of each recall, or of the best larger recall (all points)."""
    right, wrong = np.flip(right, -1), np.flip(wrong, -1)
    hits, misses = np.cumsum(right, -1), np.cumsum(wrong, -1)
    claimed = np.flip(scores) > -np.inf
    precision = np.where(claimed & (hits + misses > 0), hits / (hits + misses), 0.0)
    best = np.flip(np.maximum.accumulate(np.flip(precision, -1), -1), -1)
    area: Array = (right * best).sum(-1) / hits[..., -1]
    return area


DETECTION = (
    Metric(
        "map",
        "mAP",
        "%",
        "higher",
        "PASCAL VOC 2010 (all points) at an overlap of 0.5, mean over the classes with boxes",
        "detections (n, k, 6): x1 y1 x2 y2 score class; labels (n, m, 5): x1 y1 x2 y2 class;"
        " rows of class −1 are padding",
        Ranked(found_boxes, average_precision, has_boxes),
        in_table=True,
    ),
)
