"""Fills of masked scores become constants, where the fill is far below all scores."""

import numpy as np
import pytest

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops import Add, Mul, Select, Sub
from edgenn.lowering.integer.legalize import legalize

KEEP = np.random.default_rng(0).integers(0, 2, (3, 5)).astype(bool)
SCORES = np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32)


def filled(operator, amount, *, first=True, swapped=False):
    """``keep ? x : x - amount``, or as the options say."""
    builder = GraphBuilder("filled")
    keep, x = builder.input("keep", (None, 5), "bool"), builder.input("x", (None, 5))
    constant = builder.constant("amount", np.float32(amount))
    low = builder.add(operator, [x, constant] if first else [constant, x], "low")
    branches = [low, x] if swapped else [x, low]
    return builder.finish({"y": builder.add(Select(), [keep, *branches], "y")})


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize(
    ("operator", "amount", "options"),
    [
        (Sub(), 1e9, {}),
        (Sub(), 1e9, {"swapped": True}),
        (Add(), -1e9, {}),
        (Add(), -1e9, {"first": False}),
    ],
)
def test_a_large_number_less_is_that_number(dtype, operator, amount, options):
    graph = filled(operator, amount, **options)
    legal = legalize(graph, dtype)
    assert [op.kind for op in legal.ops] == ["select"]
    values = {"keep": KEEP, "x": SCORES}
    expected, actual = (evaluate(g, values)[g.outputs["y"]] for g in (graph, legal))
    np.testing.assert_allclose(actual, expected, rtol=1e-7)


@pytest.mark.parametrize(
    "graph",
    [
        filled(Sub(), 3.0),
        filled(Sub(), -1e9),
        filled(Sub(), 1e9, first=False),
        filled(Mul(), 1e9),
    ],
    ids=["near", "above", "negated", "scaled"],
)
def test_anything_else_stays(graph):
    assert [op.kind for op in legalize(graph, "int8").ops] == [op.kind for op in graph.ops]
