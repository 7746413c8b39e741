"""``edgenn.Session`` on what ``edgenn.convert`` wrote."""

import numpy as np
import pytest

import edgenn
from edgenn.errors import DataError

EVERY_FILE = ["small.float32.tflite", "small.int8.tflite", "small.float32.onnx", "small.int8.onnx"]


@pytest.fixture(params=EVERY_FILE)
def session(request, small_bundle):
    with edgenn.Session(small_bundle.file(request.param)) as opened:
        yield opened


def test_positional_by_name_and_in_parts(session, images):
    result = session.run(images)
    assert isinstance(result, np.ndarray)
    assert result.dtype == np.float32 and result.shape == (40, 3)
    np.testing.assert_allclose(result.sum(1), 1, atol=0.02)
    np.testing.assert_array_equal(session.run({"image": images}), result)
    parts = [session.run(images[i : i + n]) for i, n in ((0, 1), (1, 7), (8, 32))]
    np.testing.assert_allclose(np.concatenate(parts), result, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "uint8", "bool"])
def test_numbers_of_other_dtypes(session, images, dtype):
    given = (images > 0.5).astype(dtype)
    np.testing.assert_array_equal(session.run(given), session.run(given.astype(np.float32)))
    np.testing.assert_array_equal(session.run(given.tolist()), session.run(given))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (np.zeros((2, 8, 8), np.float32), "must have shape"),
        (np.zeros((8, 8, 1), np.float32), "batch dimension is missing"),
        (np.zeros((2, 8, 9, 1), np.float32), "must have shape"),
        (np.zeros((0, 8, 8, 1), np.float32), "empty"),
        (np.float32(3), "must have shape"),
        (np.zeros((1, 8, 8, 1), "complex64"), "complex64"),
        (np.full((1, 8, 8, 1), "x"), "image"),
        (np.full((1, 8, 8, 1), None), "image"),
        ({"photo": np.zeros((1, 8, 8, 1), np.float32)}, "inputs are"),
        ({}, "inputs are"),
    ],
)
def test_inputs_that_do_not_fit(session, images, given, problem):
    before = session.run(images)
    with pytest.raises(DataError, match=problem):
        session.run(given)
    np.testing.assert_array_equal(session.run(images), before)


def test_the_number_of_inputs(session, images):
    with pytest.raises(DataError, match=r"has 1 input.*2 given"):
        session.run(images, images)
    with pytest.raises(DataError, match=r"has 1 input.*0 given"):
        session.run()


def test_raw_integers(small_bundle, images):
    session = edgenn.Session(small_bundle.file("small.int8.tflite"))
    source, target = session.inputs[0], session.outputs[0]
    assert (source.dtype, target.dtype) == ("int8", "int8")
    assert source.scale is not None and target.scale is not None
    integers = np.clip(np.round(images / source.scale) + source.zero_point, -128, 127)
    raw = np.asarray(session.run(integers.astype(np.int8), raw=True))
    assert raw.dtype == np.int8
    real = (raw.astype(np.float32) - target.zero_point) * np.float32(target.scale)
    np.testing.assert_array_equal(real, session.run(images))
    with pytest.raises(DataError, match="must be int8 with raw=True"):
        session.run(images, raw=True)


def test_nan_has_no_integer(small_bundle, images):
    session = edgenn.Session(small_bundle.file("small.int8.tflite"))
    with pytest.raises(DataError, match="NaN"):
        session.run(np.full_like(images, np.nan))


def test_what_a_session_says_is_what_the_manifest_says(session, small_bundle):
    artifact = small_bundle.artifacts[session.path.name]
    assert session.inputs == artifact.inputs and session.outputs == artifact.outputs
    assert session.batch is None
    assert session.path.name in repr(session)
