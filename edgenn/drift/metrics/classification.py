"""Task metrics of classes: one for a sample, a step or a pixel; yes or no; several at once."""

import numpy as np

from edgenn.drift.metrics.labels import Judged, Layout
from edgenn.drift.metrics.metric import Metric, Sums, Task
from edgenn.runtime.tensor_info import Array


def names_classes(layout: Layout) -> bool:
    return layout.meaning in ("classes", "binary", "multilabel")


def names_few(layout: Layout) -> bool:
    """Classes of samples or steps; maps have ``mean_iou``."""
    return names_classes(layout) and len(layout.positions) < 2


def is_map(layout: Layout) -> bool:
    return names_classes(layout) and len(layout.positions) >= 2


def hits(judged: Judged) -> Array:
    """Right ones and all of them."""
    right = (judged.predicted == judged.expected) & judged.counted
    return np.stack([right.sum(-1), judged.counted.sum(-1)], -1).astype(np.float64)


def rate(sums: Sums) -> Array:
    return sums[..., 0] / sums[..., 1]


def confusion(judged: Judged) -> Array:
    """For each class: how often it is rightly named, is named, and is expected; ``(n, 3·C)``."""
    if judged.layout.meaning == "multilabel":
        named, expected = judged.predicted == 1, judged.expected == 1
        return np.concatenate([named & expected, named, expected], -1).astype(np.float64)
    counted, classes = judged.counted, judged.layout.classes
    right = counted & (judged.predicted == judged.expected)
    return np.concatenate(
        [
            class_counts(judged.expected, right, classes),
            class_counts(judged.predicted, counted, classes),
            class_counts(judged.expected, counted, classes),
        ],
        -1,
    )


def class_counts(classes: Array, where: Array, count: int) -> Array:
    """How often each class occurs in each sample, ``(n, count)``; others are left out."""
    n = len(classes)
    where = where & (classes >= 0) & (classes < count)
    keys = (classes + count * np.arange(n)[:, None])[where]
    return np.bincount(keys, minlength=n * count).reshape(n, count).astype(np.float64)


def by_class(sums: Sums) -> tuple[Array, Array, Array]:
    """Rightly named, named and expected, ``(..., C)`` each."""
    right, named, expected = np.split(sums, 3, axis=-1)
    return right, named, expected


def mean_of_present(values: Array) -> Array:
    """Mean over classes that occur; the others are NaN."""
    present = ~np.isnan(values)
    mean: Array = np.where(present, values, 0).sum(-1) / present.sum(-1)
    return mean


def f1(sums: Sums) -> Array:
    """Mean over classes of 2·TP / (2·TP + FP + FN)."""
    right, named, expected = by_class(sums)
    return mean_of_present(2 * right / (named + expected))


def mean_iou(sums: Sums) -> Array:
    """Mean over classes of TP / (TP + FP + FN)."""
    right, named, expected = by_class(sums)
    return mean_of_present(right / (named + expected - right))


CLASSIFICATION = (
    Metric(
        "accuracy",
        "acc.",
        "%",
        "higher",
        "argmax against labels; a single output says yes above 0.5 (logits: above 0)",
        "classes: samples (or pixels, steps) that are named as their label says",
        Task(hits, rate, names_classes),
        in_table=True,
    ),
    Metric(
        "f1",
        "F1",
        "%",
        "higher",
        "van Rijsbergen 1979, macro: mean over the classes that occur",
        "classes of unequal size, where accuracy hides the small ones",
        Task(confusion, f1, names_few),
    ),
    Metric(
        "mean_iou",
        "mIoU",
        "%",
        "higher",
        "Everingham et al. 2010: intersection over union, mean over the classes that occur",
        "class maps (n, h, w); pixels of label 255 or below 0 do not count",
        Task(confusion, mean_iou, is_map),
        in_table=True,
    ),
)
