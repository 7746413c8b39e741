"""Stacked outputs of loops whose batch and length are open. Witness: NumPy."""

import numpy as np
import pytest
from support.litert import DEFAULT, REFERENCE, run

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops import Add, Reshape, Scan


@pytest.mark.parametrize("resolver", [DEFAULT, REFERENCE], ids=["default", "reference"])
@pytest.mark.parametrize(
    ("step", "stacked"),
    [((2, 3), (6,)), ((6,), (3, 2)), ((2, 3), (1, 3, 2)), ((6,), (6,))],
    ids=["fewer_axes", "more_axes", "one_more", "equal"],
)
def test_outputs_with_other_ranks_than_the_sequence(step, stacked, resolver):
    cell = GraphBuilder("cell")
    x, state = cell.input("cell/x", (None, *step)), cell.input("cell/state", (None, *step))
    total = cell.add(Add(), [x, state], "cell/total")
    shown = cell.add(Reshape((-1, *stacked)), [total], "cell/shown")
    builder = GraphBuilder("net")
    sequence = builder.input("x", (None, None, *step))
    scan = Scan(cell.finish({"total": total, "shown": shown}), sequences=1, zero_state=True)
    final, sums = builder.add_multiple(scan, [sequence], ["final", "sums"])
    graph = builder.finish({"final": final, "sums": sums})
    inputs = {"x": np.random.default_rng(0).normal(size=(4, 5, *step)).astype(np.float32)}
    ours, theirs = evaluate(graph, inputs), run(graph, inputs, resolver)
    for name in ("final", "sums"):
        assert theirs[name].shape == ours[name].shape
        np.testing.assert_allclose(theirs[name], ours[name], atol=1e-5)
