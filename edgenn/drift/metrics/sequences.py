"""Task metrics of sequences of classes: characters, phonemes, words."""

from collections.abc import Callable

import numpy as np

from edgenn.drift.metrics.agreement import SMALLEST
from edgenn.drift.metrics.labels import Judged, Layout
from edgenn.drift.metrics.metric import Metric, Sums, Task
from edgenn.runtime.tensor_info import Array

PADDING = -1
BLANK = 0
"""Of CTC, in outputs and as padding of labels: Keras 3's ``mask_index``."""


def has_sequences(layout: Layout) -> bool:
    """Labels ``(n, m)``, outputs ``(n, t, C)`` or, where they name classes, ``(n, t)``."""
    return len(layout.labels) == 1 and len(layout.output) in (1, 2)


def has_probabilities(layout: Layout) -> bool:
    return layout.meaning == "classes" and layout.distribution


def named_steps(judged: Judged) -> Array:
    """The class of each step, ``(n, t)``."""
    output = judged.output
    return output.argmax(-1) if output.ndim == 3 else np.round(output).astype(np.int64)


def greedy(judged: Judged) -> tuple[Array, Array]:
    """Predicted and expected sequences, padding marked.

    Where there is a label for each step, steps whose label is padding do not count.
    """
    predicted, expected = named_steps(judged), judged.labels.astype(np.int64)
    if predicted.shape == expected.shape:
        predicted = np.where(expected < 0, PADDING, predicted)
    return predicted, expected


def greedy_ctc(judged: Judged) -> tuple[Array, Array]:
    """The same with repeats made one, then blanks left out (Graves et al. 2006)."""
    predicted, expected = named_steps(judged), judged.labels.astype(np.int64)
    repeated = np.zeros(predicted.shape, bool)
    repeated[:, 1:] = predicted[:, 1:] == predicted[:, :-1]
    predicted = np.where(repeated | (predicted == BLANK), PADDING, predicted)
    return predicted, np.where(expected == BLANK, PADDING, expected)


def edits(sequences: Callable[[Judged], tuple[Array, Array]]) -> Callable[[Judged], Array]:
    """Statistics: edit distance, length of the label, and one, for each sample."""

    def statistics(judged: Judged) -> Array:
        predicted, expected = sequences(judged)
        distances, lengths = levenshtein(predicted, expected), (expected >= 0).sum(-1)
        return np.stack([distances, lengths, np.ones(len(judged))], -1).astype(np.float64)

    return statistics


def levenshtein(first: Array, second: Array) -> Array:
    """Insertions, deletions and substitutions between sequences, one pair for each row.

    Args:
        first: ``(n, t)``, negative where there is nothing.
        second: ``(n, m)``, the same.
    """
    first, second = packed(first), packed(second)
    lengths = (first >= 0).sum(-1), (second >= 0).sum(-1)
    steps = np.arange(first.shape[1] + 1)
    row: Array = np.tile(steps, (len(first), 1))
    rows = np.arange(len(first))
    distances: Array = row[rows, lengths[0]]
    for place in range(second.shape[1]):
        substituted = row[:, :-1] + (first != second[:, place, None])
        following = row + 1
        following[:, 1:] = np.minimum(following[:, 1:], substituted)
        # an insertion costs one step to the right: a running minimum of what is left of it
        row = np.minimum.accumulate(following - steps, -1) + steps
        distances = np.where(lengths[1] == place + 1, row[rows, lengths[0]], distances)
    return distances


def packed(sequences: Array) -> Array:
    """Padding moved to the end of each row."""
    order = np.argsort(sequences < 0, axis=-1, kind="stable")
    moved: Array = np.take_along_axis(sequences, order, -1)
    return moved


def distance_of_each(sums: Sums) -> Array:
    return sums[..., 0] / sums[..., 2]


def distance_by_length(sums: Sums) -> Array:
    return sums[..., 0] / sums[..., 1]


def bits(judged: Judged) -> Array:
    """−log2 of the probability of each label's class, and how many labels there are."""
    classes = judged.layout.classes
    probabilities = judged.output.reshape(len(judged), -1, classes).astype(np.float64)
    expected = judged.expected
    known = np.clip(expected, 0, classes - 1)[..., None]
    right = np.take_along_axis(probabilities, known, -1)[..., 0]
    right = np.where(expected < classes, np.clip(right, SMALLEST, None), SMALLEST)
    total = np.where(judged.counted, -np.log2(right), 0).sum(-1)
    return np.stack([total, judged.counted.sum(-1)], -1).astype(np.float64)


EDITS, CTC_EDITS = edits(greedy), edits(greedy_ctc)
OF_CTC = ", CTC decoded greedily, blank and padding 0 as in Keras 3"

SEQUENCES = (
    Metric(
        "edit_distance",
        "edits",
        "",
        "lower",
        "Levenshtein 1966, mean over sequences; argmax of each step",
        "labels (n, m) of class indices, padded with −1; outputs (n, t, C), or (n, t) of indices",
        Task(EDITS, distance_of_each, has_sequences),
        in_table=True,
        asked=True,
    ),
    Metric(
        "word_error_rate",
        "WER",
        "%",
        "lower",
        "edit distances / lengths of the labels, over all sequences; argmax of each step",
        "the same for classes that are words; for characters it is their error rate",
        Task(EDITS, distance_by_length, has_sequences),
        in_table=True,
        asked=True,
    ),
    Metric(
        "ctc_edit_distance",
        "edits",
        "",
        "lower",
        f"Levenshtein 1966, mean over sequences{OF_CTC}",
        "models trained with keras.losses.CTC",
        Task(CTC_EDITS, distance_of_each, has_sequences),
        in_table=True,
        asked=True,
    ),
    Metric(
        "ctc_word_error_rate",
        "WER",
        "%",
        "lower",
        f"edit distances / lengths of the labels, over all sequences{OF_CTC}",
        "the same, beside the length",
        Task(CTC_EDITS, distance_by_length, has_sequences),
        in_table=True,
        asked=True,
    ),
    Metric(
        "bits_per_character",
        "BPC",
        "bit",
        "lower",
        "Graves 2013, arXiv 1308.0850: mean of −log2 p(label); p is cut at 1e-7 as in Keras",
        "language models: labels (n, t) or (n,) of class indices, outputs are probabilities",
        Task(bits, distance_by_length, has_probabilities),
        in_table=True,
        asked=True,
    ),
)
