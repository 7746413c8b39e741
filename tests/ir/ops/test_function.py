"""Element-wise functions: in float what their steps compute, in int8 a table."""

import numpy as np
import pytest
from support.litert import run
from support.one_op import assert_equals_litert, one_op, random_inputs

from edgenn.ir import ops
from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops.function import ElementwiseFunction, Scalar, Step
from edgenn.ir.tensor import Quantization, Tensor

SOFTSIGN = ElementwiseFunction(
    (
        Step(ops.Abs(), (0,)),
        Step(ops.Add(), (1, Scalar(1.0))),
        Step(ops.Div(), (0, 2)),
    )
)
ABOVE_ONE = ElementwiseFunction((Step(ops.Greater(), (0, Scalar(1.0))),))
LOGARITHM = ElementwiseFunction((Step(ops.Log(), (0,)),))
ROOT = ElementwiseFunction((Step(ops.Sqrt(), (0,)),))
NEVER = ElementwiseFunction((Step(ops.Mul(), (0, Scalar(float("nan")))),))
X = Quantization.per_tensor(0.03, -7)
Y = Quantization.per_tensor(0.01, 5)


@pytest.mark.parametrize("operator", [SOFTSIGN, ABOVE_ONE])
def test_float_function_is_written_as_its_steps(operator):
    graph = one_op(operator, [Tensor("x", (None, 5, 3))], [None])
    inputs = random_inputs(graph, np.random.default_rng(0))
    assert_equals_litert(graph, inputs)
    x = inputs["x"]
    wanted = x / (1 + np.abs(x)) if operator is SOFTSIGN else x > 1
    np.testing.assert_allclose(evaluate(graph, inputs)["y0"], wanted, rtol=1e-6)


@pytest.mark.parametrize(("operator", "output"), [(SOFTSIGN, Y), (ABOVE_ONE, None)])
def test_every_int8_value_is_looked_up(operator, output):
    graph = one_op(operator, [Tensor("x", (None, 16, 16), "int8", X)], [output])
    if output is not None:
        y = graph.tensors["y0"].with_(dtype="int8")
        graph = graph.with_(tensors={**graph.tensors, "y0": y})
    stored = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16)
    assert_equals_litert(graph, {"x": stored})
    (real,) = operator.evaluate([X.dequantize(stored)])
    wanted = real if output is None else output.quantize(real, "int8")
    np.testing.assert_array_equal(run(graph, {"x": stored})["y0"], wanted)


def table(operator: ElementwiseFunction, x: Quantization) -> np.ndarray:
    return operator.table(x, Tensor("y", (), "int8", Y))


def test_a_function_continues_where_it_is_not_defined():
    x = Quantization.per_tensor(0.01, 0)
    assert (table(ROOT, x)[:128] == table(ROOT, x)[128]).all()
    assert (table(LOGARITHM, x)[:129] == -128).all(), "the logarithm of 0 is the lowest number"
    assert (table(NEVER, x) == Y.zero_point[0]).all()


def test_functions_of_equal_steps_are_equal():
    again = ElementwiseFunction(tuple(Step(s.operator, s.operands) for s in SOFTSIGN.steps))
    assert again == SOFTSIGN
    assert hash(again) == hash(SOFTSIGN)
