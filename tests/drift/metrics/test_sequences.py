from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenn.drift.metrics import Tally
from edgenn.drift.metrics.sequences import levenshtein

NAMES = (
    "edit_distance",
    "word_error_rate",
    "ctc_edit_distance",
    "ctc_word_error_rate",
    "bits_per_character",
)


def values(outputs, labels):
    tally = Tally(NAMES, labelled=True)
    tally.update(outputs, outputs, np.array(labels))
    return tally.values()


def padded(sequences):
    width = max(map(len, sequences))
    return np.array([[*sequence, *[-1] * (width - len(sequence))] for sequence in sequences])


def by_recursion(first, second):
    """Wagner & Fischer 1974, word for word."""

    @cache
    def distance(i, j):
        if not i or not j:
            return i + j
        return min(
            distance(i - 1, j) + 1,
            distance(i, j - 1) + 1,
            distance(i - 1, j - 1) + (first[i - 1] != second[j - 1]),
        )

    return distance(len(first), len(second))


sequences = st.lists(st.integers(0, 3), max_size=7)


@given(st.lists(st.tuples(sequences, sequences), min_size=1, max_size=5))
def test_levenshtein_as_its_definition_says(pairs):
    first, second = (padded(side) for side in zip(*pairs, strict=True))
    assert list(levenshtein(first, second)) == [by_recursion(*pair) for pair in pairs]


def test_kitten_sitting():
    kitten, sitting = ([ord(letter) for letter in word] for word in ("kitten", "sitting"))
    assert list(levenshtein(padded([kitten]), padded([sitting]))) == [3]


def test_padding_may_lie_anywhere():
    assert list(levenshtein(np.array([[-1, 2, -1, 3]]), np.array([[2, 3]]))) == [0]


def test_argmax_of_each_step():
    outputs = np.eye(4)[[[1, 2, 3], [1, 1, 1]]]
    found = values(outputs, [[1, 2, 2], [1, 1, -1]])
    assert found["edit_distance"] == 0.5, "the step behind the label does not count"
    assert found["word_error_rate"] == pytest.approx(1 / 5)


def test_output_of_indices():
    found = values(np.array([[1, 2, 3, 3]]), [[1, 3]])
    assert found["edit_distance"] == 2 and found["word_error_rate"] == 1


def test_ctc_takes_out_repeats_then_blanks():
    steps = [[1, 1, 0, 1, 2, 2, 0, 0], [0, 3, 3, 0, 0, 2, 2, 2]]
    found = values(np.eye(4)[steps], [[1, 1, 2], [3, 1, -1]])
    assert found["ctc_edit_distance"] == 0.5
    assert found["ctc_word_error_rate"] == pytest.approx(1 / 5)


def test_ctc_decodes_as_keras_does():
    keras = pytest.importorskip("keras")
    generator = np.random.default_rng(0)
    outputs = generator.normal(size=(6, 20, 4)).astype(np.float32)
    (decoded, *_), _ = keras.ops.ctc_decode(
        outputs, np.full(6, 20), strategy="greedy", mask_index=0
    )
    labels = np.asarray(decoded)
    labels = np.where(labels <= 0, -1, labels)
    assert values(outputs, labels)["ctc_edit_distance"] == 0


def test_bits_per_character_by_hand():
    outputs = np.array([[[0.5, 0.5, 0.0], [0.25, 0.0, 0.75]]])
    assert values(outputs, [[0, 0]])["bits_per_character"] == pytest.approx(1.5)
    assert values(outputs, [[0, -1]])["bits_per_character"] == pytest.approx(1)
    assert values(outputs[0], [0, 0])["bits_per_character"] == pytest.approx(1.5)
    impossible = values(outputs, [[0, 1]])["bits_per_character"]
    assert impossible == pytest.approx((1 + np.log2(1e7)) / 2), "finite"


def test_bits_per_character_as_keras_says():
    keras = pytest.importorskip("keras")
    generator = np.random.default_rng(0)
    outputs = generator.dirichlet(np.ones(5), size=(4, 6)).astype(np.float32)
    labels = generator.integers(5, size=(4, 6))
    nats = np.mean(keras.losses.sparse_categorical_crossentropy(labels, outputs))
    assert values(outputs, labels)["bits_per_character"] == pytest.approx(
        nats / np.log(2), rel=1e-5
    )


def test_no_bits_without_probabilities():
    outputs = np.eye(3)[[[0, 1]]] * 5
    assert values(outputs, [[0, 1]])["bits_per_character"] is None


def test_only_where_asked_for():
    outputs = np.eye(3)[[[0, 1]]]
    tally = Tally(labelled=True)
    tally.update(outputs, outputs, np.array([[0, 1]]))
    assert all(tally.values()[name] is None for name in NAMES)
