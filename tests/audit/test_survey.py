from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenn.audit.survey import survey
from edgenn.data import Dataset
from edgenn.errors import DataError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.ops import Add


def two_inputs(steps=3):
    builder = GraphBuilder("m")
    x, z = builder.input("x", (None, steps, 2)), builder.input("z", (None, 2))
    return builder.finish({"y": builder.add(Add(), [x, z], "sum")})


@pytest.mark.parametrize("chunk", [1, 100, 1 << 24])
def test_extremes_are_those_of_the_whole_array(monkeypatch, chunk):
    monkeypatch.setattr(import_module("edgenn.audit.survey"), "CHUNK_BYTES", chunk)
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=(50, 3, 2)), "z": rng.integers(0, 9, (50, 2))}
    seen = survey(two_inputs(), Dataset(data, source="here"))
    assert (len(seen), seen.source, seen.steps) == (50, "here", 1)
    for name, array in data.items():
        np.testing.assert_array_equal(seen.inputs[name].low, array.min(axis=0).astype("f4"))
        np.testing.assert_array_equal(seen.inputs[name].high, array.max(axis=0).astype("f4"))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_digests_are_equal_where_all_inputs_are(choice):
    distinct = np.random.default_rng(1).normal(size=(4, 3, 2)).astype(np.float32)
    data = Dataset({"x": distinct[choice], "z": np.zeros((len(choice), 2))})
    digests = survey(two_inputs(), data).digests
    for i, a in enumerate(choice):
        for j, b in enumerate(choice):
            assert (digests[i] == digests[j]) == (a == b)


def test_the_same_numbers_in_another_dtype_are_the_same_sample():
    graph = two_inputs()
    x = np.array([[[0, 1], [2, 3], [4, 5]]])
    floats = survey(graph, Dataset({"x": x.astype(np.float64), "z": np.array([[0.0, -0.0]])}))
    integers = survey(graph, Dataset({"x": x.astype(np.uint8), "z": np.array([[-0.0, 0.0]])}))
    assert floats.digests == integers.digests


def test_one_input_that_differs_makes_another_sample():
    x, z = np.zeros((2, 3, 2)), np.array([[0, 0], [0, 1]])
    first, second = survey(two_inputs(), Dataset({"x": x, "z": z})).digests
    assert first != second


def test_steps_of_open_sequences():
    data = Dataset({"x": np.zeros((2, 70, 2)), "z": np.zeros((2, 2))})
    assert survey(two_inputs(steps=None), data).steps == 70


def test_samples_that_do_not_fit():
    with pytest.raises(DataError, match="takes samples of shape"):
        survey(two_inputs(), Dataset({"x": np.zeros((2, 4, 2)), "z": np.zeros((2, 2))}))
