"""Comparison, logic and selection against LiteRT's reference kernels."""

import numpy as np
import pytest
from hypothesis import given
from support.one_op import assert_equals_litert
from support.quantized_op import quantized_case
from support.shapes import broadcasting_shapes, few, generators, shapes

from edgenn.ir.operator import Operator
from edgenn.ir.ops import (
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    NotEqual,
    Select,
)

COMPARISONS = [Equal(), NotEqual(), Less(), LessEqual(), Greater(), GreaterEqual()]


@pytest.mark.parametrize("dtype", ["float32", "int32", "int8", "int16"])
@pytest.mark.parametrize("operator", COMPARISONS, ids=str)
@few
@given(pair=broadcasting_shapes(), rng=generators)
def test_comparison_equals_litert(
    operator: Operator, dtype: str, pair: list, rng: np.random.Generator
):
    if dtype in ("int8", "int16") and dtype not in operator.integer_dtypes:
        pytest.skip(f"LiteRT has no {dtype} kernel")
    assert_equals_litert(*quantized_case(operator, pair, [dtype] * 2, rng))


@pytest.mark.parametrize("operator", [LogicalAnd(), LogicalOr()], ids=str)
@few
@given(pair=broadcasting_shapes(), rng=generators)
def test_logic_equals_litert(operator: Operator, pair: list, rng: np.random.Generator):
    assert_equals_litert(*quantized_case(operator, pair, ["bool"] * 2, rng))


@few
@given(shape=shapes(0, 5), rng=generators)
def test_not_equals_litert(shape: tuple, rng: np.random.Generator):
    assert_equals_litert(*quantized_case(LogicalNot(), [shape], ["bool"], rng))


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@few
@given(triple=broadcasting_shapes(3), rng=generators)
def test_select_equals_litert(dtype: str, triple: list, rng: np.random.Generator):
    assert_equals_litert(*quantized_case(Select(), triple, ["bool", dtype, dtype], rng))
