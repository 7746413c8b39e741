"""Arithmetic against LiteRT's reference kernels, in float and in integers."""

import numpy as np
import pytest
from hypothesis import given
from support.one_op import assert_equals_litert
from support.quantized_op import quantized_case
from support.shapes import broadcasting_shapes, few, generators

from edgenn.ir.operator import Activation, Operator
from edgenn.ir.ops import (
    Add,
    Div,
    FloorDiv,
    FloorMod,
    Maximum,
    Minimum,
    Mul,
    Pow,
    SquaredDifference,
    Sub,
)

ARITHMETIC = [operator(activation=a) for operator in (Add, Sub, Mul) for a in Activation]
OTHERS = [Maximum(), Minimum(), SquaredDifference()]
FLOAT_ONLY = [Div(), Div(activation=Activation.RELU6), FloorDiv(), FloorMod()]


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("operator", [*ARITHMETIC, *OTHERS], ids=str)
@few
@given(pair=broadcasting_shapes(), rng=generators)
def test_equals_litert(operator: Operator, dtype: str, pair: list, rng: np.random.Generator):
    if dtype != "float32" and dtype not in operator.integer_dtypes:
        pytest.skip(f"LiteRT has no {dtype} kernel")
    assert_equals_litert(*quantized_case(operator, pair, [dtype] * 2, rng), tolerance=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("operator", [Add(), Sub(), Mul(), SquaredDifference()], ids=str)
@few
@given(rng=generators)
def test_many_pairs_of_stored_values(operator: Operator, dtype: str, rng: np.random.Generator):
    if dtype not in operator.integer_dtypes:
        pytest.skip(f"LiteRT has no {dtype} kernel")
    graph, _ = quantized_case(operator, [(256, 1), (1, 256)], [dtype] * 2, rng)
    step = 1 if dtype == "int8" else 257
    values = (np.arange(-128, 128) * step).astype(dtype)
    assert_equals_litert(graph, {"x0": values[:, None], "x1": values[None, :]})


@pytest.mark.parametrize("operator", FLOAT_ONLY, ids=str)
@few
@given(pair=broadcasting_shapes(), rng=generators)
def test_float_division_equals_litert(operator: Operator, pair: list, rng: np.random.Generator):
    assert_equals_litert(*quantized_case(operator, pair, ["float32"] * 2, rng), tolerance=1e-6)


@few
@given(pair=broadcasting_shapes(), rng=generators)
def test_power_equals_litert(pair: list, rng: np.random.Generator):
    graph, inputs = quantized_case(Pow(), pair, ["float32"] * 2, rng)
    inputs = {**inputs, "x0": np.abs(inputs["x0"])}
    assert_equals_litert(graph, inputs, tolerance=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("operator", [Add(), Sub(), Mul(), Maximum()], ids=str)
@few
@given(rng=generators)
def test_constant_vector_equals_litert(operator: Operator, dtype: str, rng: np.random.Generator):
    case = quantized_case(operator, [(2, 3, 3, 5), (5,)], [dtype] * 2, rng, constant=1)
    assert_equals_litert(*case)


@pytest.mark.parametrize("operator", [Add(), Sub(), Mul()], ids=str)
def test_plain_integers_are_not_rescaled(operator: Operator):
    rng = np.random.default_rng(0)
    assert_equals_litert(*quantized_case(operator, [(7,), (7,)], ["int32"] * 2, rng))
