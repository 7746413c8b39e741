"""The minimum runtime version in the file."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support.one_op import one_op

from edgenn.export.tflite.exporter import to_tflite
from edgenn.export.tflite.runtime_versions import FIRST_RELEASES, first_release, minimum_runtime
from edgenn.ir import ops
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Quantization, Tensor


def metadata(content: bytes) -> dict[str, bytes]:
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    return {m.name.decode(): bytes(model.buffers[m.buffer].data) for m in model.metadata}


def convolution(dtype: str) -> Graph:
    if dtype == "float32":
        x = Tensor("x", (1, 4, 4, 2), dtype)
        kernel = Tensor.constant("w", np.ones((3, 1, 1, 2), np.float32))
        return one_op(ops.Conv2D(), [x, kernel], [None])
    scale = Quantization.per_tensor(0.1)
    x = Tensor("x", (1, 4, 4, 2), dtype, scale)
    kernel = Tensor.constant(
        "w", np.ones((3, 1, 1, 2), np.int8), Quantization.per_channel(np.full(3, 0.1), 0)
    )
    return one_op(ops.Conv2D(), [x, kernel], [scale])


@pytest.mark.parametrize(
    ("dtype", "release"), [("float32", b"1.5.0"), ("int8", b"1.14.0"), ("int16", b"2.3.0")]
)
def test_the_file_holds_the_release_of_its_newest_op(dtype, release):
    (content,) = metadata(to_tflite(convolution(dtype))).values()
    assert content == release.ljust(16, b"\0")


def test_the_buffer_has_the_name_and_size_of_the_stock_converters():
    assert {name: len(data) for name, data in metadata(to_tflite(convolution("int8"))).items()} == {
        "min_runtime_version": 16
    }


def test_releases_compare_as_numbers():
    assert minimum_runtime([("CONV_2D", 6), ("CONV_2D", 7)]) == "2.11.0"  # 2.9.0 < 2.11.0


def test_pairs_that_the_table_does_not_know_count_for_nothing():
    assert first_release("BROADCAST_TO", 1) is None
    assert first_release("CONV_2D", 99) is None
    assert minimum_runtime([("CONV_2D", 99), ("SOMETHING_NEW", 1)]) == ""


def test_every_builtin_of_the_table_is_in_the_schema():
    assert all(hasattr(schema.BuiltinOperator, name) for name in FIRST_RELEASES)
