"""Functions of one number against LiteRT's kernels, in float and in integers."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import OpResolverType
from hypothesis import given
from support.litert import REFERENCE, run
from support.one_op import assert_equals_litert
from support.quantized_op import quantized_case
from support.shapes import few, generators, shapes

from edgenn.errors import UsageError
from edgenn.ir.evaluator import evaluate
from edgenn.ir.operator import Operator
from edgenn.ir.ops import (
    Abs,
    Ceil,
    Cos,
    Exp,
    Floor,
    Log,
    Neg,
    Round,
    Rsqrt,
    Sign,
    Sin,
    Sqrt,
    Square,
)

EVERYWHERE = [Abs(), Exp(), Neg(), Square(), Sin(), Cos(), Floor(), Ceil(), Round(), Sign()]
POSITIVE = [Log(), Sqrt(), Rsqrt()]
INTEGER = [Abs(), Exp(), *POSITIVE]
NOT_IN_REFERENCE = ("ceil", "round")


def resolver(operator: Operator) -> OpResolverType:
    """The reference kernels, or where LiteRT lists none, the optimised ones without XNNPACK."""
    if operator.kind in NOT_IN_REFERENCE:
        return OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return REFERENCE


@pytest.mark.parametrize("operator", [*EVERYWHERE, *POSITIVE], ids=str)
@few
@given(shape=shapes(0, 5), rng=generators)
def test_float_equals_litert(operator: Operator, shape: tuple, rng: np.random.Generator):
    graph, inputs = quantized_case(operator, [shape], ["float32"], rng)
    if operator in POSITIVE:
        inputs = {"x0": np.abs(inputs["x0"]) + np.float32(0.01)}
    assert_equals_litert(graph, inputs, resolver(operator), tolerance=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("operator", INTEGER, ids=str)
@few
@given(rng=generators)
def test_integer_equals_litert(operator: Operator, dtype: str, rng: np.random.Generator):
    case = quantized_case(
        operator, [(2, 400)], [dtype], rng, not_negative=operator in (Sqrt(), Rsqrt())
    )
    assert_equals_litert(*case)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("operator", [Sqrt(), Rsqrt()], ids=str)
def test_root_of_a_negative_number_is_refused_like_in_litert(operator: Operator, dtype: str):
    graph, inputs = quantized_case(
        operator, [(3,)], [dtype], np.random.default_rng(1), not_negative=True
    )
    zero_point = graph.tensors["x0"].quantization.zero_point[0]
    inputs = {"x0": np.array([zero_point - 1] * 3, dtype)}
    with pytest.raises(UsageError, match="negative"):
        evaluate(graph, inputs)
    with pytest.raises(RuntimeError, match="only defined for"):
        run(graph, inputs)
