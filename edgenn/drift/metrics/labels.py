"""What labels say about an output, told from shapes, dtypes and the first samples."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from edgenn.runtime.tensor_info import Array

Meaning = Literal["classes", "binary", "multilabel", "regression", "other"]

VOID = 255
"""The label of pixels that do not count (PASCAL VOC)."""
INDICES = 256
"""Classes of an output that names classes itself, by its integers."""
NO_CLASS = -2
"""What an output of NaN predicts: it equals no label."""


@dataclass(frozen=True)
class Layout:
    """What labels are to an output.

    Attributes:
        meaning: ``classes``: one of several at each position; ``binary``: yes or no at each
            position; ``multilabel``: any number of classes for a sample; ``regression``: numbers;
            ``other``: shapes alone do not tell.
        output: Shape of one sample's output.
        labels: Shape of one sample's labels.
        classes: How many there are, if any.
        indices: The output names classes itself, by integers, instead of giving scores.
        distribution: The output's last axis holds probabilities that add up to one.
        threshold: Above which a single output says yes: 0.5 for probabilities, 0 for logits.
        centre: Mean of the labels of each feature, of numbers; keeps sums of squares exact.
    """

    meaning: Meaning
    output: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()
    classes: int = 0
    indices: bool = False
    distribution: bool = False
    threshold: float = 0.5
    centre: float | Array = 0.0

    @property
    def positions(self) -> tuple[int, ...]:
        """Of class names in one sample: ``()``, ``(t,)`` or ``(h, w)``."""
        if self.meaning == "multilabel":
            return ()
        scores = self.meaning == "classes" and not self.indices
        return without_ones(self.output[:-1] if scores else self.output)


def layout_of(output: Array, labels: Array) -> Layout:
    """What these labels are to such an output.

    Class indices have the output's shape without its last axis. Labels of the output's own shape
    are classes where they add up to one along the last axis (one-hot), yes or no where they are
    0 and 1, else numbers.

    Args:
        output: The reference's first samples, ``(n, ...)``.
        labels: Of these samples, ``(n, ...)``.
    """
    shapes = output.shape[1:], labels.shape[1:]
    kind = labels.dtype.kind
    if kind not in "iufb" or not labels.size or len(output) != len(labels):
        return Layout("other")
    sums_to_one = is_distribution(output)
    if without_ones(shapes[0]) == without_ones(shapes[1]):
        return same_shape(output, labels, sums_to_one)
    several = output.ndim >= 2 and output.shape[-1] > 1
    if several and without_ones(shapes[0][:-1]) == without_ones(shapes[1]):
        if kind == "f" and not np.array_equal(labels, np.floor(labels)):
            return Layout("other", *shapes)
        return Layout("classes", *shapes, output.shape[-1], distribution=sums_to_one)
    return Layout("other", *shapes, distribution=sums_to_one)


def same_shape(output: Array, labels: Array, sums_to_one: bool) -> Layout:
    """A label for each number of the output."""
    shapes = output.shape[1:], labels.shape[1:]
    if output.dtype.kind in "iu" and labels.dtype.kind in "iu":
        return Layout("classes", *shapes, INDICES, indices=True)
    if is_distribution(labels):
        return Layout("classes", *shapes, output.shape[-1], distribution=sums_to_one)
    if np.isin(labels, (0, 1)).all():
        within = bool(((output >= 0) & (output <= 1)).all())
        several = len(shapes[0]) == 1 and shapes[0][0] > 1
        classes = shapes[0][0] if several else 2
        meaning: Meaning = "multilabel" if several else "binary"
        return Layout(meaning, *shapes, classes, threshold=0.5 if within else 0.0)
    features = labels.reshape(-1, features_of(shapes[0])).astype(np.float64)
    return Layout("regression", *shapes, centre=features.mean(0))


def features_of(shape: tuple[int, ...]) -> int:
    """Size of the last axis; all others are positions."""
    return shape[-1] if shape else 1


def is_distribution(output: Array) -> bool:
    """Whether the last axis holds probabilities of several classes."""
    if output.ndim < 2 or output.shape[-1] < 2 or output.dtype.kind not in "fiub":
        return False
    wide = output.astype(np.float64)
    return bool((wide >= 0).all() and (np.abs(wide.sum(-1) - 1) < 1e-2).all())


def without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without axes of size 1 at its end."""
    while shape and shape[-1] == 1:
        shape = shape[:-1]
    return shape


@dataclass(frozen=True)
class Judged:
    """A block of outputs beside its labels.

    Attributes:
        output: ``(n, ...)``.
        labels: ``(n, ...)``.
        layout: What the labels are.
    """

    output: Array
    labels: Array
    layout: Layout

    def __len__(self) -> int:
        return len(self.output)

    @cached_property
    def predicted(self) -> Array:
        """The class that the output names at each position, ``(n, positions)``."""
        if self.layout.meaning != "classes":
            flat = self.output.reshape(len(self), -1)
            return np.where(np.isnan(flat), NO_CLASS, flat > self.layout.threshold)
        if self.layout.indices:
            return self.output.reshape(len(self), -1).astype(np.int64)
        named = self.output.argmax(-1)
        broken = np.isnan(self.output).any(-1)
        classes: Array = np.where(broken, NO_CLASS, named).reshape(len(self), -1)
        return classes

    @cached_property
    def expected(self) -> Array:
        """The class that the label names at each position, ``(n, positions)``."""
        scores = self.layout.meaning == "classes" and not self.layout.indices
        if scores and self.labels.shape == self.output.shape:
            named: Array = self.labels.argmax(-1)
            return named.reshape(len(self), -1)
        return self.labels.reshape(len(self), -1).astype(np.int64)

    @cached_property
    def counted(self) -> Array:
        """Where labels name a class: not padding (negative), nor void in a map."""
        counted = self.expected >= 0
        if len(self.layout.positions) >= 2 and (self.layout.classes <= VOID or self.layout.indices):
            counted &= self.expected != VOID
        return counted

    @cached_property
    def numbers(self) -> tuple[Array, Array]:
        """Outputs and labels, both less the labels' mean, ``(n, positions, features)``."""
        shape = (len(self), -1, features_of(self.layout.output))
        output, labels = (
            array.reshape(shape).astype(np.float64) - self.layout.centre
            for array in (self.output, self.labels)
        )
        return output, labels
