"""Cells of loops are simplified, too."""

import numpy as np

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.ops import Add, FullyConnected, Relu, Scan
from edgenn.passes import simplify


def loop():
    rng = np.random.default_rng(0)
    inner = GraphBuilder("cell")
    x, state = inner.input("x", (None, 3)), inner.input("state", (None, 4))
    kernel = inner.constant("kernel", rng.normal(size=(4, 3)).astype("float32"))
    bias = inner.constant("bias", rng.normal(size=4).astype("float32"))
    product = inner.add(FullyConnected(), [x, kernel], "product")
    total = inner.add(Add(), [product, bias], "total")
    new = inner.add(Add(), [inner.add(Relu(), [total], "relu"), state], "new")
    cell = inner.finish({"next": new, "y": new})
    builder = GraphBuilder("loop")
    sequence = builder.input("sequence", (None, None, 3))
    _, y = builder.add_multiple(Scan(cell), [sequence], ["final", "y"])
    return builder.finish({"y": y})


def test_a_bias_and_an_activation_are_fused_inside():
    graph = loop()
    simple = simplify(graph)
    (op,) = simple.ops
    assert [o.kind for o in op.operator.cell.ops] == ["fully_connected", "add"]
    assert list(op.operator.cell.inputs) == ["x", "state"]
    x = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
    expected, result = (evaluate(g, {"sequence": x})["y"] for g in (graph, simple))
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert simplify(simple) is simple
