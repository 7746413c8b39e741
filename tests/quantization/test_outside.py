import json
from dataclasses import asdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgenn.quantization.outside import Outside
from edgenn.quantization.statistics import Statistics

VALUES = arrays.arrays(np.float32, (9, 2, 3), elements=st.floats(-8, 8, width=16))


@given(VALUES, st.lists(st.integers(1, 8), max_size=3, unique=True))
def test_counts_are_those_of_all_batches_together(values, cuts):
    outside = Outside(-2.0, 3.0)
    for part in np.split(values, sorted(cuts)):
        outside.update(part)
    bad = (values < -2) | (values > 3)
    rows = bad.reshape(9, -1).any(axis=1)
    assert (outside.values, outside.samples) == (54, 9)
    assert (outside.outside, outside.samples_outside) == (bad.sum(), rows.sum())
    distance = np.maximum(-2 - values, values - 3).reshape(9, -1).max(axis=1)
    assert outside.farthest == max(distance.max(), 0)
    assert outside.worst_sample == (distance.argmax() if bad.any() else -1)


def test_goes_through_the_message_of_the_worker():
    statistics = Statistics(bounds=(0.0, 1.0))
    statistics.update(np.array([[0.5], [2.0]], np.float32))
    assert asdict(statistics.outside)["samples_outside"] == 1
    state = json.loads(json.dumps(statistics.state()))
    arrays_of = {name: getattr(statistics, name) for name in Statistics.ARRAYS}
    assert Statistics.from_state(state, arrays_of).outside == statistics.outside
