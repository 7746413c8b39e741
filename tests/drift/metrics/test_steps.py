import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgenn.drift.metrics import StepHistogram

integers = arrays(np.int8, (5, 3))


@given(integers, integers, st.floats(1e-6, 1e3))
def test_steps_of_integers_read_off_real_numbers(first, second, scale):
    histogram = StepHistogram(scale)
    reals = (np.float32(scale) * (part.astype(np.float32) - 3) for part in (first, second))
    histogram.update(*reals)
    difference = second.astype(int) - first.astype(int)
    for step, count in zip(histogram.steps, histogram.counts, strict=True):
        assert count == np.sum(difference == step)
    assert histogram.span == (difference.min(), difference.max())
    assert histogram.share_within(1) == np.mean(np.abs(difference) <= 1)


def test_chunks_add_up_and_the_far_ones_are_at_the_ends():
    histogram = StepHistogram(0.5)
    assert histogram.span == (0, 0) and histogram.share_within(0) is None
    histogram.update(np.zeros((1, 2)), np.array([[0.5, 1e6]]))
    histogram.update(np.zeros((1, 3)), np.array([[0.5, -np.inf, np.nan]]))
    assert histogram.counts.sum() == 4 and histogram.broken == 1
    assert histogram.span == (-255, 255)
    assert histogram.share_within(1) == 2 / 5


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf])
def test_no_scale(scale):
    with pytest.raises(ValueError, match="scale"):
        StepHistogram(scale)
