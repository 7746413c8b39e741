import tracemalloc

import numpy as np
import pytest

from edgenn.data import Dataset, load
from edgenn.data.samples import CHUNK_BYTES
from edgenn.errors import DataError, ModelFileError

X = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
Y = np.array([0, 1, 1, 0])


def save(tmp_path, **arrays):
    np.savez(tmp_path / "d.npz", **arrays)
    return tmp_path / "d.npz"


def test_npy_is_mapped_not_read(tmp_path):
    np.save(tmp_path / "x.npy", X)
    data = load(tmp_path / "x.npy", ["image"], split="test")
    assert isinstance(data.inputs["image"], np.memmap)
    np.testing.assert_array_equal(data.inputs["image"], X)
    assert len(data) == 4 and data.labels is None


def test_npy_in_fortran_order(tmp_path):
    np.save(tmp_path / "x.npy", np.asfortranarray(X))
    np.testing.assert_array_equal(load(tmp_path / "x.npy", ["i"], split="test").inputs["i"], X)


@pytest.mark.parametrize("save_", [np.savez, np.savez_compressed])
def test_npz_is_mapped_from_a_temporary_file(tmp_path, save_):
    save_(tmp_path / "d.npz", x=X, y=Y)
    data = load(tmp_path / "d.npz", ["image"], split="test")
    assert isinstance(data.inputs["image"], np.memmap)
    np.testing.assert_array_equal(data.inputs["image"], X)
    np.testing.assert_array_equal(data.labels, Y)


def test_npz_by_input_names(tmp_path):
    data = load(save(tmp_path, a=X, b=X + 1, y=Y, other=Y), ["a", "b"], split="test")
    np.testing.assert_array_equal(data.inputs["b"], X + 1)
    assert list(data.inputs) == ["a", "b"]


def test_an_input_called_y_is_no_label(tmp_path):
    data = load(save(tmp_path, x=X, y=X), ["x", "y"], split="test")
    assert data.labels is None
    np.testing.assert_array_equal(data.inputs["y"], X)


def test_npz_without_an_input(tmp_path):
    with pytest.raises(DataError, match="no array for b"):
        load(save(tmp_path, a=X), ["b"], split="test")
    with pytest.raises(DataError, match=r"no array for a, b.*holds x"):
        load(save(tmp_path, x=X), ["a", "b"], split="test")


def test_npy_for_several_inputs(tmp_path):
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(DataError, match="2 inputs: a, b"):
        load(tmp_path / "x.npy", ["a", "b"], split="test")


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.full((2, 3), np.nan, np.float32), "NaN or infinite values, first in sample 0"),
        (np.array([[0.0], [1.0], [np.inf]]), "first in sample 2"),
        (np.zeros((0, 3)), "no samples"),
        (np.zeros((3, 0)), "are empty"),
        (np.float32(3), "no samples"),
        (np.array(["a", "b"]), "not numbers"),
        (np.array([1j, 2j]), "not numbers"),
        (np.array([{}, []], dtype=object), "Python objects"),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays_that_are_no_samples(tmp_path, array, problem, suffix):
    path = tmp_path / f"d{suffix}"
    if suffix == ".npy":
        np.save(path, array, allow_pickle=True)
    else:
        np.savez(path, x=array, allow_pickle=True)
    with pytest.raises(DataError, match=problem):
        load(path, ["x"], split="test")


def test_nan_beyond_the_first_chunk(tmp_path):
    array = np.zeros((3, CHUNK_BYTES // 8 + 1), np.float32)
    array[2, -1] = np.nan
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match="first in sample 2"):
        load(tmp_path / "x.npy", ["x"], split="test")


def test_labels_of_another_length(tmp_path):
    with pytest.raises(DataError, match="differ in their number of samples"):
        load(save(tmp_path, x=X, y=Y[:3]), ["x"], split="test")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04 rubbish", b"\x00" * 99])
def test_rubbish(tmp_path, suffix, content):
    path = tmp_path / f"d{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError):
        load(path, ["x"], split="test")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_truncated(tmp_path, suffix):
    path = tmp_path / f"d{suffix}"
    np.save(path, X) if suffix == ".npy" else np.savez(path, x=X)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="cut off"):
        load(path, ["x"], split="test")


def test_missing_folder_and_unknown_suffix(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        load(tmp_path / "x.npy", ["x"], split="test")
    with pytest.raises(DataError, match="no file"):
        load(tmp_path, ["x"], split="test")
    (tmp_path / "x.csv").write_text("1,2")
    with pytest.raises(DataError, match=r"not \.csv"):
        load(tmp_path / "x.csv", ["x"], split="test")


def test_hash_is_of_the_data_not_of_the_file(tmp_path):
    np.save(tmp_path / "x.npy", X)
    expected = load({"a": X}, ["a"], split="test").sha256
    assert load(tmp_path / "x.npy", ["a"], split="test").sha256 == expected
    assert load(save(tmp_path, x=X), ["a"], split="test").sha256 == expected
    assert load(X.astype(">f4"), ["a"], split="test").sha256 == expected
    assert load(X + 1, ["a"], split="test").sha256 != expected
    assert load(X.reshape(4, 6), ["a"], split="test").sha256 != expected
    assert load(X.view(np.int32), ["a"], split="test").sha256 != expected


def test_arrays_and_datasets():
    data = load({"a": X, "y": Y}, ["a"], split="test")
    np.testing.assert_array_equal(data.labels, Y)
    assert load(data, ["a"], split="test") is data
    assert [len(batch["a"]) for batch in data.batches(3)] == [3, 1]
    assert isinstance(data, Dataset)
    with pytest.raises(DataError, match="nothing for input 'b'"):
        load({"a": X}, ["b"], split="test")
    with pytest.raises(DataError, match="2 inputs"):
        load(X, ["a", "b"], split="test")


RECIPE = """
import numpy as np
EPOCHS = 3
def build_model(): ...
def load_data():
    x = np.arange(12, dtype=np.float32).reshape(6, 2)
    return {"train": (x[:4], np.zeros(4)), "test": (x[4:], np.ones(2))}
def score(predictions, labels): return 1.0
"""


def test_recipe_splits(tmp_path):
    (tmp_path / "numpy.py").write_text(RECIPE)  # named like a package on purpose
    data = load(tmp_path / "numpy.py", ["v"], split="test")
    np.testing.assert_array_equal(data.inputs["v"], [[8, 9], [10, 11]])
    np.testing.assert_array_equal(data.labels, [1, 1])
    with pytest.raises(DataError, match="no 'calibration'"):
        load(tmp_path / "numpy.py", ["v"], split="calibration")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("x = 1", "no function build_model, load_data, score"),
    ],
)
def test_recipes_that_are_none(tmp_path, text, problem):
    (tmp_path / "r.py").write_text(text)
    with pytest.raises(ModelFileError, match=problem):
        load(tmp_path / "r.py", ["v"], split="test")


def test_recipe_whose_data_fail(tmp_path):
    (tmp_path / "r.py").write_text(RECIPE.replace("    x =", "    open('/missing')\n    x ="))
    with pytest.raises(DataError, match=r"load_data\(\) failed: FileNotFoundError"):
        load(tmp_path / "r.py", ["v"], split="test")


@pytest.mark.parametrize("save_", [np.save, np.savez, np.savez_compressed])
def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch, save_):
    monkeypatch.setattr("edgenn.data.samples.CHUNK_BYTES", 1 << 18)
    path = tmp_path / ("d.npy" if save_ is np.save else "d.npz")
    array = np.ones((64, 1 << 16), np.float32)  # 16 MiB
    save_(path, array) if save_ is np.save else save_(path, x=array)
    tracemalloc.start()
    try:
        data = load(path, ["x"], split="test")
        assert data.sha256
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
