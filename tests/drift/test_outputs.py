"""Outputs of a rung on disk."""

import os
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edgenn.drift import outputs
from edgenn.drift.outputs import OutputStore
from edgenn.errors import ArtifactError, DataError, OutputError

DTYPES = ("float32", "float64", "float16", "int8", "uint8", "int16", "int32", "int64", "bool")


@st.composite
def columns(draw):
    """One to three outputs of any dtype and shape, over the same samples."""
    count = draw(st.integers(0, 12))
    names = draw(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=3, unique=True))
    shape = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    return {
        name: draw(arrays(draw(st.sampled_from(DTYPES)), (count, *draw(shape)))) for name in names
    }


@given(columns(), st.lists(st.integers(0, 12), max_size=4), st.integers(1, 5), st.data())
def test_what_was_appended_is_read_back(whole, cuts, size, data):
    count = len(next(iter(whole.values())))
    bounds = [0, *sorted(min(cut, count) for cut in cuts), count]
    with OutputStore() as store:
        for start, stop in pairwise(bounds):
            store.append({name: array[start:stop] for name, array in whole.items()})
        assert len(store) == count
        assert store.names == list(whole)
        assert store.shapes == {name: array.shape for name, array in whole.items()}
        start, stop = data.draw(st.integers(-3, 15)), data.draw(st.integers(-3, 15))
        parts = store.read(start, stop)
        chunks = list(store.chunks(size))
        for name, array in whole.items():
            np.testing.assert_array_equal(parts[name], array[start:stop], strict=True)
            assert all(len(chunk[name]) <= size for chunk in chunks)
            joined = np.concatenate([array[:0], *(chunk[name] for chunk in chunks)])
            np.testing.assert_array_equal(joined, array, strict=True)


def test_any_memory_layout():
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    with OutputStore() as store:
        store.append({"y": np.asfortranarray(array)[::2]})
        store.append({"y": array[::-2]})
        np.testing.assert_array_equal(store.read(0, 9)["y"], [*array[::2], *array[::-2]])


@pytest.mark.parametrize(
    "part",
    [
        {"y": np.zeros((2, 3), np.float64), "z": np.zeros(2)},
        {"y": np.zeros((2, 4), np.float32), "z": np.zeros(2)},
        {"y": np.zeros((2, 3), np.float32)},
        {"y": np.zeros((2, 3), np.float32), "z": np.zeros(3)},
        {"y": np.zeros((2, 3), np.float32), "z": np.zeros(())},
        {"z": np.zeros(2), "y": np.zeros((2, 3), np.float32), "more": np.zeros(2)},
    ],
)
def test_parts_that_do_not_go_together(part):
    first = {"y": np.ones((2, 3), np.float32), "z": np.ones(2)}
    with OutputStore() as store:
        store.append(first)
        with pytest.raises(DataError, match=r"differ in their number|outputs changed from"):
            store.append(part)
        assert len(store) == 2
        np.testing.assert_array_equal(store.read(0, 9)["z"], first["z"])


def test_nothing_is_left(tmp_path):
    with OutputStore(tmp_path) as store:
        store.append({"y": np.zeros(1000)})
        assert list(tmp_path.iterdir()) == []  # nameless from the first byte on
        opened = len(os.listdir("/proc/self/fd"))
    assert len(os.listdir("/proc/self/fd")) == opened - 1
    assert len(store) == 0 and store.names == []


def failing(folder):
    with OutputStore(folder) as store:
        store.append({"y": np.zeros(1000), "z": np.zeros(1000)})
        raise ZeroDivisionError


def test_files_are_closed_when_something_fails(tmp_path):
    opened = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ZeroDivisionError):
        failing(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == opened


def test_a_full_disk_is_said(monkeypatch):
    def full(**_):
        return Path("/dev/full").open("wb", buffering=0)

    monkeypatch.setattr(outputs.tempfile, "TemporaryFile", full)
    with OutputStore() as store, pytest.raises(OutputError, match="No space left on device"):
        store.append({"y": np.zeros(10)})


def test_memory_is_that_of_a_chunk():
    part = {"y": np.ones((1000, 100))}
    with OutputStore() as store:
        tracemalloc.start()
        for _ in range(100):
            store.append(part)
        total = sum(float(chunk["y"].sum()) for chunk in store.chunks())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert total == 1e7
    assert peak < 3 * outputs.CHUNK_BYTES


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_predictions_that_are_kept_in_a_bundle(tmp_path, monkeypatch, save):
    monkeypatch.setattr(outputs, "CHUNK_BYTES", 100)
    kept = {
        "y": np.arange(70, dtype=np.float32).reshape(7, 10),
        "z": np.asfortranarray(np.arange(28).reshape(7, 2, 2)),
    }
    save(tmp_path / "reference.npz", **kept)
    with OutputStore.of_npz(tmp_path / "reference.npz") as store:
        assert len(store) == 7
        for name, array in store.read(0, 7).items():
            np.testing.assert_array_equal(array, kept[name], strict=True)


def test_predictions_that_are_damaged(tmp_path):
    path = tmp_path / "reference.npz"
    np.savez(path, y=np.zeros(3), z=np.zeros(4))
    opened = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ArtifactError, match=r"differ in their number of samples"):
        OutputStore.of_npz(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ArtifactError, match=r"no \.npz file"):
        OutputStore.of_npz(path)
    assert len(os.listdir("/proc/self/fd")) == opened
