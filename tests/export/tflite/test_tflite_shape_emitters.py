"""Ops that only change shapes are written so that accelerators run them, and mean the same."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support.one_op import assert_equals_litert, one_op

from edgenn.export.tflite.exporter import to_tflite
from edgenn.ir import ops
from edgenn.ir.graph import Graph
from edgenn.ir.tensor import Quantization, Tensor

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(10, 4)).astype(np.float32)


def builtins(graph: Graph) -> list[str]:
    names = {n: name for name, n in vars(schema.BuiltinOperator).items() if isinstance(n, int)}
    model = schema.ModelT.InitFromPackedBuf(to_tflite(graph), 0)
    (subgraph,) = model.subgraphs
    for op in subgraph.operators:
        assert not getattr(op.builtinOptions, "shrinkAxisMask", 0)
    return [names[model.operatorCodes[op.opcodeIndex].builtinCode] for op in subgraph.operators]


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
def test_one_step_of_a_sequence(batch, dtype):
    quantization = None if dtype == "float32" else Quantization.per_tensor(0.5)
    cut = ops.StridedSlice((None, -2, None), (None, -1, None), (1, 1, 1), squeezed=(1,))
    graph = one_op(cut, [Tensor("x", (batch, 5, 3), dtype, quantization)], [quantization])
    assert builtins(graph) == ["STRIDED_SLICE", "RESHAPE"]
    assert_equals_litert(graph, {"x": RNG.integers(-9, 9, (2, 5, 3)).astype(dtype)})


def test_a_slice_that_keeps_all_dimensions_is_one_op():
    cut = ops.StridedSlice((None, 1, None), (None, 4, None), (1, 2, 1))
    assert builtins(one_op(cut, [Tensor("x", (2, 5, 3))], [None])) == ["STRIDED_SLICE"]


def test_a_squeeze_is_a_reshape():
    graph = one_op(ops.Squeeze(axes=(1, 3)), [Tensor("x", (None, 1, 3, 1))], [None])
    assert builtins(graph) == ["RESHAPE"]
    assert_equals_litert(graph, {"x": RNG.normal(size=(4, 1, 3, 1)).astype(np.float32)})


@pytest.mark.parametrize("batch", [None, 2])
def test_rows_of_a_table_for_sequences(batch):
    indices = Tensor("tokens", (batch, 5), "int32")
    graph = one_op(ops.Gather(), [Tensor.constant("table", TABLE), indices], [None])
    assert builtins(graph) == ["RESHAPE", "GATHER", "RESHAPE"]
    assert_equals_litert(graph, {"tokens": RNG.integers(0, 10, (2, 5), np.int32)})


def test_rows_along_an_inner_axis():
    indices = Tensor.constant("indices", np.array([[0, 2], [1, 1]], np.int32))
    graph = one_op(ops.Gather(axis=-2), [Tensor("x", (None, 3, 4)), indices], [None])
    assert builtins(graph) == ["GATHER", "RESHAPE"]
    assert_equals_litert(graph, {"x": RNG.normal(size=(2, 3, 4)).astype(np.float32)})


def test_where_two_sizes_are_open_no_reshape_can_say_them():
    indices = Tensor("tokens", (None, None), "int32")
    graph = one_op(ops.Gather(), [Tensor.constant("table", TABLE), indices], [None])
    assert builtins(graph) == ["GATHER"]
    assert_equals_litert(graph, {"tokens": RNG.integers(0, 10, (2, 7), np.int32)})
    squeeze = one_op(ops.Squeeze(axes=(2,)), [Tensor("x", (None, None, 1))], [None])
    assert builtins(squeeze) == ["SQUEEZE"]
