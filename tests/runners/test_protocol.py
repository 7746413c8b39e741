import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgenn.runners.protocol import Message, read_message, write_message


def round_trip(message):
    stream = io.BytesIO()
    write_message(stream, message)
    stream.seek(0)
    result = read_message(stream)
    assert read_message(stream) is None
    return result


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    arrays.arrays(
        st.sampled_from(["float32", "int8", "int64", "bool", "float16"]),
        arrays.array_shapes(min_dims=0, min_side=0, max_side=4),
    )
)
def test_arrays_come_back_as_they_were(array):
    array = array[..., ::-1] if array.ndim else array
    result = round_trip(Message({"n": 1}, {"a/b:0": array, "file": array}))
    assert result.values == {"n": 1}
    for name in ("a/b:0", "file"):
        np.testing.assert_array_equal(result.arrays[name], array)
        assert result.arrays[name].dtype == array.dtype
        assert result.arrays[name].shape == array.shape


def test_arrays_that_come_back_are_writable():
    result = round_trip(Message(arrays={"x": np.zeros(3)}))
    result.arrays["x"][0] = 1


def test_a_message_that_is_cut_off():
    stream = io.BytesIO()
    write_message(stream, Message({"a": "b"}, {"x": np.arange(10)}))
    content = stream.getvalue()
    for size in range(1, len(content)):
        with pytest.raises(EOFError):
            read_message(io.BytesIO(content[:size]))


def test_the_worker_starts_light():
    script = "import sys, edgenn.runners.worker; print('\\n'.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    packages = {name.partition(".")[0] for name in result.stdout.split()}
    heavy = {"tensorflow", "keras", "onnx", "onnxruntime", "click", "rich", "ai_edge_litert"}
    assert packages.isdisjoint(heavy)
