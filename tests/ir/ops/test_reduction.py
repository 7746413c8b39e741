"""Reductions against LiteRT's kernels, in float and in integers."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import OpResolverType
from hypothesis import given
from hypothesis import strategies as st
from support.litert import REFERENCE
from support.one_op import assert_equals_litert, one_op, random_inputs
from support.quantized_op import quantized_case
from support.shapes import few, generators, shapes

from edgenn.ir.operator import Operator
from edgenn.ir.ops import (
    ArgMax,
    ArgMin,
    CountTrue,
    CumSum,
    Mean,
    ReduceAll,
    ReduceAny,
    ReduceMax,
    ReduceMin,
    ReduceProd,
    Sum,
)
from edgenn.ir.tensor import Tensor

REDUCTIONS = [Mean, Sum, ReduceMax, ReduceMin, ReduceProd]


def resolver(operator: type[Operator], dtype: str) -> OpResolverType:
    """The reference kernel of SUM reads int8 and int16 as uint8 (LiteRT 2.3)."""
    if operator is Sum and dtype != "float32":
        return OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return REFERENCE


@st.composite
def shape_and_axes(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    shape = draw(shapes(1, 5))
    axes = draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    return shape, tuple(sorted(axes))


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("operator", REDUCTIONS)
@few
@given(form=shape_and_axes(), keep_dims=st.booleans(), rng=generators)
def test_equals_litert(
    operator: type, dtype: str, form: tuple, keep_dims: bool, rng: np.random.Generator
):
    shape, axes = form
    case = quantized_case(operator(axes=axes, keep_dims=keep_dims), [shape], [dtype], rng)
    assert_equals_litert(*case, resolver(operator, dtype), tolerance=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_mean_over_an_image_equals_litert(dtype: str):
    rng = np.random.default_rng(3)
    case = quantized_case(Mean(axes=(1, 2)), [(2, 37, 41, 3)], [dtype], rng)
    assert_equals_litert(*case)


@pytest.mark.parametrize("operator", [ReduceAny, ReduceAll])
@few
@given(form=shape_and_axes(), keep_dims=st.booleans(), rng=generators)
def test_logic_equals_litert(
    operator: type, form: tuple, keep_dims: bool, rng: np.random.Generator
):
    shape, axes = form
    case = quantized_case(operator(axes=axes, keep_dims=keep_dims), [shape], ["bool"], rng)
    assert_equals_litert(*case)


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("index_dtype", ["int32", "int64"])
@pytest.mark.parametrize("operator", [ArgMax, ArgMin])
@few
@given(shape=shapes(1, 4), rng=generators, data=st.data())
def test_index_of_extremum_equals_litert(
    operator: type, index_dtype: str, dtype: str, shape: tuple, rng: np.random.Generator, data
):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    graph, inputs = quantized_case(operator(axis=axis, dtype=index_dtype), [shape], [dtype], rng)
    rounded = {"x0": np.round(inputs["x0"] / 2).astype(dtype)}  # the first one among equals
    assert_equals_litert(graph, rounded)


@few
@given(shape=shapes(1, 4), rng=generators, data=st.data())
def test_running_sum_equals_litert(shape: tuple, rng: np.random.Generator, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    assert_equals_litert(*quantized_case(CumSum(axis=axis), [shape], ["float32"], rng))


@few
@given(shape=shapes(1, 3), rng=generators)
def test_counts_of_conditions_equal_litert(shape: tuple, rng: np.random.Generator):
    graph = one_op(CountTrue(), [Tensor("x", shape, "bool")], [None])
    assert_equals_litert(graph, random_inputs(graph, rng))
