"""Every rule keeps what the float graph computes and gives graphs that quantise fully.

LiteRT's reference kernels and NumPy agree on every bit of the quantised graph; how far it is
from the float graph is measured as root mean square error, as a share of the output's range.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from support.legalized import Entry, error_shares, graph_of, quantized, real_outputs, samples
from support.rewriting import assert_well_formed

from edgenn.errors import UnsupportedError
from edgenn.ir import ops
from edgenn.ir.evaluator import evaluate
from edgenn.ir.operator import Activation
from edgenn.lowering.integer import legalize
from edgenn.quantization.schemes import INTEGER_FORMATS, Scheme

SHAPE = (4, 6)
CONTINUOUS = {Scheme.INT8: 0.006, Scheme.INT16X8: 0.002}
"""A few roundings to 256 steps; in int16 interpolation between samples of a function."""
STEPPED = {Scheme.INT8: 0.12, Scheme.INT16X8: 0.05}
"""Results that jump, where rounding of an input carries it across the edge."""


@dataclass(frozen=True)
class Case:
    """Ops and what flows in; ``schemes`` are those that can be written."""

    name: str
    entries: tuple[Entry, ...]
    low: float = -3
    high: float = 3
    inputs: int = 1
    limits: dict[Scheme, float] | None = None
    schemes: tuple[Scheme, ...] = (Scheme.INT8, Scheme.INT16X8)

    def __str__(self) -> str:
        return self.name


def unary(operator, low=-3.0, high=3.0, **rest) -> Case:
    return Case(operator.kind, (operator,), low, high, **rest)


def binary(operator, low=-3.0, high=3.0, **rest) -> Case:
    return Case(f"{operator.kind} of two", ((operator, "x0", "x1"),), low, high, 2, **rest)


def with_constant(operator, constant, low=-3.0, high=3.0, **rest) -> Case:
    name = f"{operator.kind} {constant}"
    return Case(name, ((operator, ..., constant),), low, high, **rest)


INT8 = {"schemes": (Scheme.INT8,)}
STEPS = {"limits": STEPPED}
ORDERINGS = (ops.Less, ops.LessEqual, ops.Greater, ops.GreaterEqual)
EQUALITIES = (ops.Equal, ops.NotEqual)

CASES = [
    unary(ops.Neg()), unary(ops.Square()), unary(ops.Sqrt(), 0, 4), unary(ops.Rsqrt(), 0.2, 4),
    unary(ops.Sin(), **INT8), unary(ops.Cos(), **INT8), unary(ops.Sign(), **STEPS),
    *(unary(step(), **INT8, **STEPS) for step in (ops.Floor, ops.Ceil, ops.Round)),
    *(unary(a()) for a in (ops.ReluN1To1, ops.HardSwish, ops.Elu, ops.LogSoftmax, ops.Gelu)),
    unary(ops.CumSum(axis=1)), unary(ops.CumSum(axis=-1)), unary(ops.Sum((1,))),
    unary(ops.Sum((2,), True)), unary(ops.ArgMax(), **STEPS), unary(ops.ArgMin(1), **STEPS),
    Case("relu(x) as condition", (ops.Relu(), ops.Cast("bool")), limits=STEPPED),
    *(Case(f"{e.kind} 0", (ops.Relu(), (e(), ..., 0)), limits=STEPPED) for e in EQUALITIES),
    *(Case(f"{e.kind} of two", ((ops.Maximum(), "x0", "x1"), (e(), ..., "x0")), inputs=2,
           limits=STEPPED) for e in EQUALITIES),
    unary(ops.Cast("int32"), -5, 5, **INT8, **STEPS),
    binary(ops.SquaredDifference()), binary(ops.Div(), 0.5, 3), binary(ops.Div(), -3, -0.5),
    binary(ops.Div(Activation.RELU6), 0.5, 6), binary(ops.FloorDiv(), 1, 8, **INT8, **STEPS),
    binary(ops.FloorMod(), 2, 8, **INT8, **STEPS),
    with_constant(ops.Div(), [1, 2, 3, 4, 5, -7]),
    with_constant(ops.FloorDiv(), 2, -8, 8, **INT8, **STEPS),
    with_constant(ops.FloorMod(), 2, -8, 8, **INT8, **STEPS),
    with_constant(ops.Prelu(), [[0, 0.1, 0.2, 0.5, -0.3, 1]]),
    *(with_constant(ops.Pow(), n, 0.5, 2) for n in (1, 2, 3, 4, 5, 7, 0.5, -0.5, -1, -2)),
    with_constant(ops.Pow(), 1.7, 0.5, 2, **INT8),
    *(Case(f"{c} / x", ((ops.Div(), c, ...),), 0.5, 5) for c in (1.0, -3.0)),
    Case("2 ** x", ((ops.Pow(), 2, ...),)),
    Case("relu(x) ** 1.7", (ops.Relu(), (ops.Pow(), ..., 1.7)), 0.5, 2),
    Case("relu(x) ** z", (ops.Relu(), (ops.Pow(), ..., "x1")), 0.5, 2, 2),
    *(binary(c(), **STEPS) for c in ORDERINGS),
    *(with_constant(c(), 0.5, **STEPS) for c in ORDERINGS),
    Case("wide comparison", ((ops.Greater(), ..., 100.0),), -1000, 1000, limits=STEPPED),
    Case("narrow comparison", ((ops.Greater(), ..., 1e-3),), 0, 2e-3, limits=STEPPED),
    Case("condition as number", ((ops.Greater(), "x0", "x1"), ops.Cast("float32")), inputs=2,
         limits=STEPPED),
]  # fmt: skip
QUANTISED = [(case, scheme) for case in CASES for scheme in case.schemes]
REFUSED = [case for case in CASES if Scheme.INT16X8 not in case.schemes]


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule_keeps_what_the_graph_computes(case: Case, dtype: str):
    graph = graph_of(*case.entries, inputs=[SHAPE] * case.inputs)
    inputs = samples(graph, case.low, case.high)
    legal = legalize(graph, dtype)
    assert_well_formed(legal)
    assert legal.inputs == graph.inputs
    assert legal.outputs == graph.outputs
    assert legalize(legal, dtype) is legal, "a second run still finds something"
    (name,) = graph.outputs.values()
    wanted, actual = evaluate(graph, inputs)[name], evaluate(legal, inputs)[name]
    assert actual.dtype == wanted.dtype
    np.testing.assert_allclose(actual, wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("case", "scheme"), QUANTISED, ids=str)
def test_rule_makes_integers_near_float(case: Case, scheme: Scheme):
    graph = graph_of(*case.entries, inputs=[SHAPE] * case.inputs)
    inputs = samples(graph, case.low, case.high)
    error = error_shares(graph, scheme, inputs)["y"]
    assert error <= (case.limits or CONTINUOUS)[scheme]


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_int16_cannot_compose_is_refused_by_name(case: Case):
    graph = graph_of(*case.entries, inputs=[SHAPE] * case.inputs)
    with pytest.raises(UnsupportedError, match="no int16 kernel for op0"):
        quantized(graph, Scheme.INT16X8, samples(graph, case.low, case.high))


@pytest.mark.parametrize("dtype", [INTEGER_FORMATS[s].activation for s in INTEGER_FORMATS])
def test_integers_that_are_no_real_numbers_stay_as_they_are(dtype):
    graph = graph_of(ops.ArgMax(), (ops.FloorDiv(), ..., "op0"), inputs=[SHAPE])
    assert legalize(graph, dtype) is graph


@pytest.mark.parametrize("operator", [ops.Sqrt(), ops.Rsqrt()])
def test_roots_of_negative_numbers_do_not_stop_the_run(operator):
    """Calibration saw none; LiteRT's kernels would end the run at the first."""
    graph = graph_of(operator, inputs=[SHAPE])
    for scheme in INTEGER_FORMATS:
        positive, any_sign = samples(graph, 0.5, 4), samples(graph, -4, 4)
        integers = quantized(graph, scheme, positive)
        assert np.isfinite(real_outputs(integers, any_sign)["y"]).all()
